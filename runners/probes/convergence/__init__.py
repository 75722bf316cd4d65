"""Real training on real images: seeds paired across arms, curves kept, the test set used once, at the end."""

import math
from collections.abc import Iterator
from functools import partial

import torch
from pydantic import Field
from torch import Tensor, nn

from results.records.metric import Metric
from results.records.record import Curve, Measurement, OutcomeDetails
from results.records.resolved_study import CONTROL_FACTOR
from runners import datasets
from runners.datasets import Images, stratified_split
from runners.outcomes import Diverged, Findings, attempt, build_arm
from runners.probes import Probe, Result, WorkloadSettings
from runners.trial import Trial, TrialArm

METRICS = (
    Metric(
        name="test_accuracy",
        label="test accuracy",
        unit="fraction",
        better="higher",
        effect_kind="difference",
        margin=0.01,
        headline=True,
        description="Share of the fixed test images that are labelled rightly after the last step.",
    ),
    Metric(
        name="validation_accuracy",
        label="validation accuracy",
        unit="fraction",
        better="higher",
        effect_kind="difference",
        margin=0.01,
        description="Share of the seed's validation images that are labelled rightly after the last step.",
    ),
    Metric(
        name="train_loss",
        label="training loss",
        unit="nats",
        better="lower",
        effect_kind="difference",
        margin=0.05,
        description="Mean cross-entropy over the last epoch's steps.",
    ),
    Metric(
        name="steps_to_target",
        label="steps to target",
        unit="steps",
        better="lower",
        effect_kind="ratio",
        margin=0.1,
        description="Steps after which validation accuracy first reached the target, evaluated each epoch.",
    ),
)

VALIDATION_FRACTION = 0.2
_EVALUATION_BATCH = 500


class ConvergenceSettings(WorkloadSettings):
    """Keys of a workload of kind convergence."""

    dataset: str = Field("digits", description="see `ablate list datasets`")
    image_size: int = Field(32, ge=1, le=8192, description="images are resized to this height and width")
    batch_size: int = Field(64, ge=1, description="images a step")
    seeds: int = Field(6, ge=1, le=10_000, description="seeds, which n counts; below 6 no verdict")
    epochs: int = Field(5, ge=1, description="passes over the training images")
    train_images: int | None = Field(
        None, ge=1, description="use only so many training images; all by default"
    )
    learning_rate: float = Field(
        0.05, gt=0, description="peak, after a tenth of the steps, then a cosine to 0"
    )
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0)
    target: float = Field(0.9, gt=0, lt=1, description="validation accuracy that steps_to_target waits for")

    @property
    def replicates(self) -> int:
        """One block a seed."""
        return self.seeds

    @property
    def context(self) -> str:
        """The budget."""
        return f"{self.epochs} epochs, SGD at {self.learning_rate:g}"


def run(trial: Trial) -> Result:
    """Train the trial's arm once."""
    return Result(tuple(attempt(arm, partial(_train, trial, arm)) for arm in trial.arms))


def _train(trial: Trial, arm: TrialArm) -> Findings:
    settings = ConvergenceSettings.model_validate(trial.workload.settings)
    # The control is noise of its own: the same arm with other weights, split and order.
    own = arm.name if arm.name == CONTROL_FACTOR else ""
    stream = partial(trial.stream, arm=own)
    development, test = datasets.get(settings.dataset).load(settings.image_size)
    train, validation = _split(development, settings, stream("split"))
    network = build_arm(trial, arm, seed=stream("weights"))
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    total_steps = settings.epochs * max(1, len(train) // settings.batch_size)
    order = torch.Generator().manual_seed(stream("order"))
    # What a layer draws while it trains (dropout) is a stream of its own too.
    torch.manual_seed(stream("layers"))
    log = _Log()
    for step, positions in enumerate(_batches(len(train), settings, order), start=1):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step, total_steps)
        loss = _step(network, optimizer, train.take(positions), trial.device)
        if not math.isfinite(loss):
            raise Diverged(f"the training loss was {loss} at step {step} of {total_steps}")
        log.losses.append(loss)
        if step % (total_steps // settings.epochs) == 0:
            log.evaluate(step, network, validation, trial.device)
    test_accuracy, _ = _evaluate(network, test, trial.device)
    return _findings(trial, settings, log, test_accuracy, len(train), len(validation), len(test))


def _split(development: Images, settings: ConvergenceSettings, seed: int) -> tuple[Images, Images]:
    generator = torch.Generator().manual_seed(seed)
    train, validation = stratified_split(development.labels, VALIDATION_FRACTION, generator)
    if settings.train_images is not None and settings.train_images < len(train):
        chosen = torch.randperm(len(train), generator=generator)[: settings.train_images]
        train = train[chosen.sort().values]
    return development.take(train), development.take(validation)


def _batches(count: int, settings: ConvergenceSettings, order: torch.Generator) -> Iterator[Tensor]:
    """Positions of each step's images; the incomplete batch at an epoch's end is left out."""
    size = min(settings.batch_size, count)
    for _ in range(settings.epochs):
        permutation = torch.randperm(count, generator=order)
        for start in range(0, count - size + 1, size):
            yield permutation[start : start + size]


def _schedule(step: int, total: int) -> float:
    """Linear warm-up over the first tenth, then a cosine to 0 (Loshchilov & Hutter 2016)."""
    warmup = max(1, total // 10)
    if step <= warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, batch: Images, device: str) -> float:
    network.train()
    optimizer.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(network(batch.images.to(device)), batch.labels.to(device))
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def _evaluate(network: nn.Module, images: Images, device: str) -> tuple[float, float]:
    """Accuracy and mean cross-entropy in evaluation."""
    network.eval()
    right, loss = 0, 0.0
    for start in range(0, len(images), _EVALUATION_BATCH):
        labels = images.labels[start : start + _EVALUATION_BATCH].to(device)
        logits = network(images.images[start : start + _EVALUATION_BATCH].to(device))
        right += int((logits.argmax(1) == labels).sum())
        loss += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    return right / len(images), loss / len(images)


class _Log:
    """The course of one training."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.steps: list[int] = []
        self.accuracies: list[float] = []
        self.validation_losses: list[float] = []
        self.train_losses: list[float] = []

    def evaluate(self, step: int, network: nn.Module, validation: Images, device: str) -> None:
        """Close an epoch: evaluate on the validation images, average the losses since the last time."""
        accuracy, loss = _evaluate(network, validation, device)
        if not math.isfinite(loss):
            raise Diverged(f"the validation loss was {loss} after step {step}")
        since = self.steps[-1] if self.steps else 0
        self.steps.append(step)
        self.accuracies.append(accuracy)
        self.validation_losses.append(loss)
        self.train_losses.append(math.fsum(self.losses[since:step]) / (step - since))


def _findings(
    trial: Trial,
    settings: ConvergenceSettings,
    log: _Log,
    test_accuracy: float,
    train_count: int,
    validation_count: int,
    test_count: int,
) -> Findings:
    reached = [
        step for step, accuracy in zip(log.steps, log.accuracies, strict=True) if accuracy >= settings.target
    ]

    def measurement(metric: str, value: float, split: str) -> Measurement:
        return Measurement(
            metric, (value,), source="measured", device=trial.device, mode="train", split=split
        )

    measurements = [
        measurement("test_accuracy", test_accuracy, "test"),
        measurement("validation_accuracy", log.accuracies[-1], "validation"),
        measurement("train_loss", log.train_losses[-1], "train"),
    ]
    details: OutcomeDetails = {
        "train_images": train_count,
        "validation_images": validation_count,
        "test_images": test_count,
    }
    if reached:
        measurements.append(measurement("steps_to_target", float(reached[0]), "validation"))
    else:
        best = max(log.accuracies)
        details["censored"] = {
            "steps_to_target": f"validation accuracy {settings.target:g} was not reached;"
            f" the best in {log.steps[-1]} steps was {best:.3f}"
        }
    steps = tuple(log.steps)
    curves = (
        Curve("validation_accuracy", "validation", steps, tuple(log.accuracies)),
        Curve("validation_loss", "validation", steps, tuple(log.validation_losses)),
        Curve("train_loss", "train", steps, tuple(log.train_losses)),
    )
    return Findings(tuple(measurements), curves, details)


def estimate_seconds(settings: ConvergenceSettings, macs: list[int], rate: float) -> float:
    """Training and validation of every epoch."""
    images = datasets.get(settings.dataset).development_size
    if settings.train_images is not None:
        images = min(images, settings.train_images)
    per_image = sum(0.00025 + 3.3 * 1.1 * count / rate for count in macs)
    return 1.0 + settings.epochs * images * per_image


PROBE = Probe(
    kind="convergence",
    summary="training from scratch on real images, seeds paired across arms",
    settings=ConvergenceSettings,
    metrics=METRICS,
    block_unit="seed",
    wave=2,
    control=True,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
)

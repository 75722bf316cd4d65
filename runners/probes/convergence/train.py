"""Training from scratch, once."""

import math
from functools import partial

import torch
from torch import Tensor, nn

from results.records.record import OutcomeDetails
from results.records.resolved_study import CONTROL_FACTOR
from runners import datasets
from runners.images import Images
from runners.outcomes import Diverged, Findings, build_arm, each_arm
from runners.probes import Result
from runners.probes.convergence.course import Course, evaluate
from runners.probes.convergence.determinism import deterministic
from runners.probes.convergence.findings import findings
from runners.probes.convergence.recipe import batches, schedule, split
from runners.probes.convergence.settings import ConvergenceSettings
from runners.trial import Trial, TrialArm


def run(trial: Trial) -> Result:
    """Train the trial's arm once."""
    with deterministic():
        return Result(each_arm(trial, _train))


def _train(trial: Trial, arm: TrialArm) -> Findings:
    settings = ConvergenceSettings.model_validate(trial.workload.settings)
    # The control is noise of its own: the same arm with other weights, split and order.
    own = arm.name if arm.name == CONTROL_FACTOR else ""
    stream = partial(trial.stream, arm=own)
    development, test = datasets.get(settings.dataset).load(settings.image_size)
    train, validation = split(development, settings, stream("split"))
    network = build_arm(trial, arm, seed=stream("weights"))
    order = torch.Generator().manual_seed(stream("order"))
    # What a layer draws while it trains (dropout) is a stream of its own too.
    torch.manual_seed(stream("layers"))
    course = _run_epochs(network, settings, train, validation, order, trial.device)
    test_accuracy, _ = evaluate(network, test, trial.device)
    found = findings(course, test_accuracy=test_accuracy, target=settings.target, device=trial.device)
    details: OutcomeDetails = {
        **found.details,
        "train_images": len(train),
        "validation_images": len(validation),
        "test_images": len(test),
    }
    return Findings(found.measurements, found.curves, details)


def _run_epochs(
    network: nn.Module,
    settings: ConvergenceSettings,
    train: Images,
    validation: Images,
    order: torch.Generator,
    device: str,
) -> Course:
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    total_steps = settings.epochs * max(1, len(train) // settings.batch_size)
    course = Course()
    for step, positions in enumerate(batches(len(train), settings, order), start=1):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * schedule(step, total_steps)
        loss = _step(network, optimizer, *train.batch(positions, device))
        if not math.isfinite(loss):
            raise Diverged(f"the training loss was {loss} at step {step} of {total_steps}")
        course.losses.append(loss)
        if step % (total_steps // settings.epochs) == 0:
            course.close_epoch(step, network, validation, device)
    return course


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> float:
    network.train()
    optimizer.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(network(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()

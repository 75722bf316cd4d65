"""Training from scratch, once."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from results.records.record import OutcomeDetails
from results.records.resolved_study import CONTROL_FACTOR
from runners import datasets
from runners.images import Images
from runners.loss import cross_entropy
from runners.outcomes import Diverged, Findings, build_arm, each_arm, make_variant
from runners.probes import Result
from runners.probes.convergence.allocator import keep_freed_memory
from runners.probes.convergence.augment import augment
from runners.probes.convergence.checkpoint import Checkpoint
from runners.probes.convergence.course import Course, evaluate
from runners.probes.convergence.determinism import deterministic
from runners.probes.convergence.findings import findings
from runners.probes.convergence.inside import Inside, look_steps
from runners.probes.convergence.recipe import batches, evaluation_steps, make_optimizer, schedule, split
from runners.probes.convergence.settings import ConvergenceSettings
from runners.running import Running
from runners.trial import Trial, TrialArm


def run(trial: Trial) -> Result:
    """Train the trial's arm once."""
    keep_freed_memory()
    checkpoint = Checkpoint(trial)
    with deterministic():
        outcomes = each_arm(trial, partial(_train, checkpoint))
    resumed = checkpoint.resumed_at_step
    return Result(outcomes, {"resumed_at_step": resumed} if resumed else {})


@dataclass(frozen=True, slots=True)
class _Streams:
    """Seeds of what is drawn on the way."""

    order: int
    augmentation: int


def _train(checkpoint: Checkpoint, trial: Trial, arm: TrialArm) -> Findings:
    settings = ConvergenceSettings.model_validate(trial.workload.settings)
    # The control is noise of its own: the same arm with other weights, split and order.
    own = arm.name if arm.name == CONTROL_FACTOR else ""
    stream = partial(trial.stream, arm=own)
    development, test = datasets.get(settings.dataset).load(settings.image_size)
    train, validation = split(development, settings, stream("split"))
    running = Running.of(settings.of(dict(make_variant(arm).levels)), trial.device)
    network = running.network(build_arm(trial, arm, seed=stream("weights")))
    # What a layer draws while it trains (dropout) is a stream of its own too.
    torch.manual_seed(stream("layers"))
    streams = _Streams(stream("order"), stream("augmentation"))
    course = _run_epochs(network, settings, train, validation, streams, running, checkpoint)
    scores = evaluate(network, test, running)
    found = findings(course, test=scores, target=settings.target, device=trial.device)
    details: OutcomeDetails = {
        **found.details,
        "learning_rate": settings.learning_rate,
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
    streams: _Streams,
    running: Running,
    checkpoint: Checkpoint,
) -> Course:
    optimizer = make_optimizer(network, settings)
    total = settings.epochs * max(1, len(train) // settings.batch_size)
    looks = evaluation_steps(total, settings)
    order, drawing = torch.Generator().manual_seed(streams.order), torch.Generator()
    course = checkpoint.begin(network, optimizer, settings.checkpoint_seconds)
    resumed = len(course.losses)
    inside = Inside(network, look_steps(total, settings.inside), course.inside)
    network.train()
    for step, positions in enumerate(batches(len(train), settings, order), start=1):
        if step <= resumed:  # its order is drawn, no more
            continue
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * schedule(step, total, settings)
        images, labels = train.batch(positions, running.device)
        # A step's draws do not depend on those before it.
        drawing.manual_seed(streams.augmentation ^ step)
        images, labels = augment(images, labels, settings.augmentation, drawing)
        optimizer.zero_grad(set_to_none=True)
        inside.before(step)
        with running.context():
            output = network(running.images(images))
            loss = cross_entropy(output, labels, label_smoothing=settings.label_smoothing)
        loss.backward()
        inside.after(step)
        optimizer.step()
        course.losses.append(loss.item())
        if not math.isfinite(course.losses[-1]):
            said = f"the training loss was {course.losses[-1]} at step {step} of {total}"
            raise Diverged(said, course.details)
        if step in looks:
            course.note(step, evaluate(network, validation, running))
            network.train()
        checkpoint.keep(course)
    return course

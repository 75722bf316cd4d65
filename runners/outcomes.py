"""From an exception to a status: a fault in one arm becomes a row and never takes another arm with it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import nn

import ablations
from ablations import Variant
from results.records.record import Curve, Measurement, Outcome, OutcomeDetails, Status
from runners.trial import Trial, TrialArm


class Diverged(Exception):  # noqa: N818 - an outcome of training, not an error of ours
    """Training reached a loss that is not finite; the message says when."""


class NotApplicable(Exception):  # noqa: N818 - likewise
    """The arm cannot exist in this context; the message says why."""


class TimedOut(Exception):  # noqa: N818 - likewise
    """The arm did not come to an end within its limit; the message says what the limit was."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a probe found out about one arm."""

    measurements: tuple[Measurement, ...]
    curves: tuple[Curve, ...] = ()
    details: OutcomeDetails = field(default_factory=OutcomeDetails)


def make_variant(arm: TrialArm) -> Variant:
    """The arm's variant.

    Raises:
        NotApplicable: The combination cannot be built (a factorial design spans such combinations).
    """
    try:
        return ablations.variant(arm.complete_variant)
    except ValueError as error:
        raise NotApplicable(str(error)) from error


def build_arm(trial: Trial, arm: TrialArm, *, seed: int) -> nn.Module:
    """The arm's network on the trial's device, in training mode."""
    return ablations.build(make_variant(arm), seed=seed, device=trial.device)


def builder(variant: Variant) -> Callable[[torch.device], nn.Module]:
    """A function from a device to the variant's network on it."""
    return lambda device: ablations.build(variant, device=device)


def in_channels(variant: Variant) -> int:
    """Channels of the images that the variant reads; 3 where the architecture has no such factor."""
    channels = dict(variant.levels).get("in_channels", 3)
    assert isinstance(channels, int)
    return channels


def blank(arm: TrialArm) -> Outcome:
    """The arm's outcome before anything was found out."""
    text = arm.complete_variant.partition(":")[2]
    levels = dict(assignment.split("=", 1) for assignment in text.split(",") if assignment)
    return Outcome(arm=arm.name, variant=arm.variant, levels=levels)


def attempt(arm: TrialArm, measure: Callable[[], Findings]) -> Outcome:
    """Measure one arm; whatever it raises becomes its status and reason."""
    try:
        found = measure()
    except Exception as error:  # noqa: BLE001 - an arm may fail in any way, and the run goes on
        return failure(arm, error)
    return replace(blank(arm), measurements=found.measurements, curves=found.curves, details=found.details)


def failure(arm: TrialArm, error: Exception) -> Outcome:
    """The outcome of an arm that raised."""
    return replace(blank(arm), status=status_of(error), reason=reason_of(error))


def status_of(error: Exception) -> Status:
    """The status that an exception stands for."""
    match error:
        case Diverged():
            return "diverged"
        case NotApplicable():
            return "not_applicable"
        case TimedOut():
            return "timed_out"
        case MemoryError() | torch.OutOfMemoryError():
            return "out_of_memory"
        # The CPU's allocator has no exception of its own.
        case RuntimeError() if "DefaultCPUAllocator: can't allocate memory" in str(error):
            return "out_of_memory"
    return "failed"


def reason_of(error: Exception) -> str:
    """An exception in one line, with the place it was raised at where it is a fault."""
    text = " ".join(str(error).split())[:500]
    if isinstance(error, Diverged | NotApplicable | TimedOut):
        return text
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f" ({trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {text}{place}"

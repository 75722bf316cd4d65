"""From an exception to a status: a fault in one arm becomes a row and never takes another arm with it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import ablations
from ablations import Variant
from results.records.record import Curve, Measurement, Outcome, OutcomeDetails, Status
from results.records.values import clean
from runners.trial import Trial, TrialArm

if TYPE_CHECKING:
    import torch
    from torch import nn

LONGEST_REASON = 500
"""Characters of an exception's own text."""
OTHERS_SHARE = 0.05
"""Of a device's memory: where other processes hold more, running out of it says little about an arm."""


class Diverged(Exception):  # noqa: N818 - an outcome of training, not an error of ours
    """Training reached a loss that is not finite; the message says when.

    Attributes:
        details: What had been noted until then, for the record.
    """

    def __init__(self, message: str, details: OutcomeDetails | None = None) -> None:
        super().__init__(message)
        self.details: OutcomeDetails = details or {}


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


def build_arm(trial: Trial, arm: TrialArm, *, seed: int) -> "nn.Module":
    """The arm's network on the trial's device, in training mode."""
    return ablations.build(make_variant(arm), seed=seed, device=trial.device)


def builder(variant: Variant) -> "Callable[[torch.device], nn.Module]":
    """A function from a device to the variant's network on it."""
    return lambda device: ablations.build(variant, device=device)


def in_channels(variant: Variant) -> int:
    """Channels of the images that the variant reads; 3 where the architecture has no such factor."""
    channels = dict(variant.levels).get("in_channels", 3)
    assert isinstance(channels, int)
    return channels


def each_arm(trial: Trial, measure: Callable[[Trial, TrialArm], Findings]) -> tuple[Outcome, ...]:
    """Measure the trial's arms one after the other; whatever one raises becomes its status and reason."""
    return tuple(_attempt(trial, arm, measure) for arm in trial.arms)


def _attempt(trial: Trial, arm: TrialArm, measure: Callable[[Trial, TrialArm], Findings]) -> Outcome:
    try:
        found = measure(trial, arm)
    except BaseException as error:  # noqa: BLE001 - an arm may fail in any way, and the run goes on
        return failure(trial, arm, error)
    return replace(blank(arm), measurements=found.measurements, curves=found.curves, details=found.details)


def blank(arm: TrialArm) -> Outcome:
    """The arm's outcome before anything was found out."""
    text = arm.complete_variant.partition(":")[2]
    levels = dict(assignment.split("=", 1) for assignment in text.split(",") if assignment)
    return Outcome(arm=arm.name, variant=arm.variant, levels=levels)


def failure(trial: Trial, arm: TrialArm, error: BaseException) -> Outcome:
    """The outcome of an arm that raised.

    Running out of a device's memory is final, unless others held some of it: that is worth another try.
    """
    status, reason = status_of(error), reason_of(error)
    if status == "out_of_memory" and trial.device != "cpu":
        from runners import devices

        memory = devices.memory(trial.device)
        if memory is not None and memory.held_by_others > OTHERS_SHARE * memory.total:
            status = "failed"
            reason += (
                f"; other processes held {memory.held_by_others / 2**30:.1f} of the device's"
                f" {memory.total / 2**30:.1f} GiB: --retry-failed asks again"
            )
    details = error.details if isinstance(error, Diverged) else OutcomeDetails()
    return replace(blank(arm), status=status, reason=reason, details=details)


def status_of(error: BaseException) -> Status:
    """The status that an exception stands for."""
    import torch

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
        case RuntimeError() if "DefaultCPUAllocator: can't allocate memory" in _text(error):
            return "out_of_memory"
    return "failed"


def reason_of(error: BaseException) -> str:
    """An exception in one line, with the place it was raised at where it is a fault."""
    text = " ".join(_text(error).split())[:LONGEST_REASON]
    if isinstance(error, Diverged | NotApplicable | TimedOut):
        return clean(text)
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f" ({trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno})"
        trace = trace.tb_next
    return clean(f"{said}{place}")


def _text(error: BaseException) -> str:
    """What an exception says of itself."""
    try:
        return str(error)
    except BaseException as another:  # noqa: BLE001 - its text is code of the arm too
        return f"(asked for its text, it raised {type(another).__name__})"

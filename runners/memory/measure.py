"""What the device's own allocator held during a step, and how much of it no tensor accounts for."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from runners.memory.attribution import ModuleTracker
from runners.memory.events import Recorder, memory_events
from runners.memory.profile import MemoryProfile
from runners.memory.settings import StepSettings, Target
from runners.memory.simulate import observe
from runners.memory.step import Build, Step
from runners.memory.workspace import AllocatorPeak, attribute


@dataclass(frozen=True, slots=True)
class AllocatorMeasurement:
    """An allocator's figures of one step, beside the tensors followed through the same step.

    Attributes:
        device: Where it ran.
        peak_by_phase: Most bytes handed out at once, by phase.
        profile: The tensors, followed through another run of the step in the same state.
        peak: The allocator's peak taken apart, from that run; None where it keeps no events.
        reserved_bytes: Most that the allocator held from the device, cached blocks included; None where it
            does not say (CPU).
        retries: How often it had to give back its cache and ask again; None where it does not say.
    """

    device: str
    peak_by_phase: Mapping[str, int]
    profile: MemoryProfile
    peak: AllocatorPeak | None = None
    reserved_bytes: int | None = None
    retries: int | None = None

    @property
    def allocator_peak_bytes(self) -> int:
        """Most bytes handed out at once."""
        return max(self.peak_by_phase.values())

    @property
    def workspace_bytes(self) -> int:
        """The allocator's peak less the tensors': scratch of the libraries, which no tensor shows.

        Below zero it is none: see `fault`.
        """
        return self.allocator_peak_bytes - self.profile.peak_bytes

    @property
    def fault(self) -> str | None:
        """Why these figures are wrong, in one line: tensors cannot weigh more than what was handed out.

        None if nothing shows that they are.
        """
        if self.workspace_bytes >= 0:
            return None
        peak = self.profile.peak
        return (
            f"the tensors followed weigh {-self.workspace_bytes:,} bytes more than the allocator handed out, "
            f"at {peak.operator} of {peak.module}: the figures of this step are wrong"
        )


class Statistics(Protocol):
    """What is asked of an accelerator's allocator, a device at a time (`torch.accelerator` has it)."""

    def reset_peak_memory_stats(self, device: torch.device, /) -> None:
        """Peaks begin anew at what is held now."""

    def max_memory_allocated(self, device: torch.device, /) -> int:
        """Most bytes handed out since."""

    def max_memory_reserved(self, device: torch.device, /) -> int:
        """Most bytes held from the device since."""

    def memory_stats(self, device: torch.device, /) -> Mapping[str, Any]:
        """Everything it counts."""

    def synchronize(self, device: torch.device, /) -> None:
        """Wait for the device."""


def measure_allocator(
    build: Build, settings: StepSettings, *, device: torch.device | None = None
) -> AllocatorMeasurement:
    """Run the step for real and read the allocator: the CPU's memory events, or an accelerator's peaks.

    The step runs once unobserved before, since libraries keep what they prepare on first use.
    """
    started = time.perf_counter()
    device = device or torch.device("cpu")
    target: Target = "cpu" if device.type == "cpu" else "cuda"
    step = Step(build, settings, device, target)
    step.prepare()
    step.run()
    reserved = retries = None
    if device.type == "cpu":
        peaks = _cpu_peaks(step)
    else:
        peaks, reserved, retries = accelerator_peaks(step, torch.accelerator)
    step.reset()
    recorder = Recorder() if device.type == "cpu" else None
    followed = observe(step, ModuleTracker(step.model), target, "measured", started, recorder=recorder)
    if recorder is None:
        return AllocatorMeasurement(str(device), peaks, followed, None, reserved, retries)
    peaks = {phase: followed.static_bytes + peak for phase, peak in peaks.items()}
    return AllocatorMeasurement(str(device), peaks, followed, attribute(followed, recorder))


def accelerator_peaks(step: Step, statistics: Statistics) -> tuple[dict[str, int], int, int | None]:
    """Peak of allocated bytes by phase, of reserved bytes overall, and retries, on the step's device."""
    device = step.device
    peaks: dict[str, int] = {}
    reserved = 0
    retries = statistics.memory_stats(device).get("num_alloc_retries")
    for phase, run in step.phases():
        statistics.synchronize(device)
        statistics.reset_peak_memory_stats(device)
        run()
        statistics.synchronize(device)
        peaks[phase] = statistics.max_memory_allocated(device)
        reserved = max(reserved, statistics.max_memory_reserved(device))
    if retries is not None:
        retries = int(statistics.memory_stats(device)["num_alloc_retries"]) - int(retries)
    return peaks, reserved, retries


def _cpu_peaks(step: Step) -> dict[str, int]:
    """Peak by phase of what the CPU's allocator handed out since the step began."""
    peaks: dict[str, int] = {}
    held = 0
    for phase, run in step.phases():
        peaks[phase] = held
        for event in memory_events(run):
            held += event.nbytes
            peaks[phase] = max(peaks[phase], held)
    return peaks

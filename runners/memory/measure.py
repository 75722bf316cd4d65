"""What the device's own allocator held during a step, and how much of it no tensor accounts for."""

import gc
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.profiler import ProfilerActivity, profile

from runners.memory.attribution import ModuleTracker
from runners.memory.profile import MemoryProfile
from runners.memory.settings import StepSettings, Target
from runners.memory.simulate import observe
from runners.memory.step import Build, Step


@dataclass(frozen=True, slots=True)
class AllocatorMeasurement:
    """An allocator's figures of one step, beside the tensors followed through the same step.

    Attributes:
        device: Where it ran.
        peak_by_phase: Most bytes handed out at once, by phase.
        profile: The tensors, followed through another run of the step in the same state.
        reserved_bytes: Most that the allocator held from the device; None where it does not say (CPU).
        retries: How often it had to give back its cache and ask again; None where it does not say.
    """

    device: str
    peak_by_phase: Mapping[str, int]
    profile: MemoryProfile
    reserved_bytes: int | None = None
    retries: int | None = None

    @property
    def allocator_peak_bytes(self) -> int:
        """Most bytes handed out at once."""
        return max(self.peak_by_phase.values())

    @property
    def workspace_bytes(self) -> int:
        """The allocator's peak less the tensors': scratch of the libraries, which no tensor shows."""
        return self.allocator_peak_bytes - self.profile.peak_bytes


class Statistics(Protocol):
    """What is asked of an accelerator's allocator (`torch.accelerator` has it)."""

    def reset_peak_memory_stats(self) -> None:
        """Peaks begin anew at what is held now."""

    def max_memory_allocated(self) -> int:
        """Most bytes handed out since."""

    def max_memory_reserved(self) -> int:
        """Most bytes held from the device since."""

    def memory_stats(self) -> Mapping[str, Any]:
        """Everything it counts."""

    def synchronize(self) -> None:
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
    followed = observe(step, ModuleTracker(step.model), target, "measured", started)
    if device.type == "cpu":
        peaks = {phase: followed.static_bytes + peak for phase, peak in peaks.items()}
    return AllocatorMeasurement(str(device), peaks, followed, reserved, retries)


def accelerator_peaks(step: Step, statistics: Statistics) -> tuple[dict[str, int], int, int | None]:
    """Peak of allocated bytes by phase, of reserved bytes overall, and retries."""
    peaks: dict[str, int] = {}
    reserved = 0
    retries = statistics.memory_stats().get("num_alloc_retries")
    for phase, run in step.phases():
        statistics.synchronize()
        statistics.reset_peak_memory_stats()
        run()
        statistics.synchronize()
        peaks[phase] = statistics.max_memory_allocated()
        reserved = max(reserved, statistics.max_memory_reserved())
    if retries is not None:
        retries = int(statistics.memory_stats()["num_alloc_retries"]) - int(retries)
    return peaks, reserved, retries


def _cpu_peaks(step: Step) -> dict[str, int]:
    """Peak by phase of what the CPU's allocator handed out since the step began."""
    peaks: dict[str, int] = {}
    held = 0
    for phase, run in step.phases():
        peaks[phase] = held
        for change in memory_events(run):
            held += change
            peaks[phase] = max(peaks[phase], held)
    return peaks


def memory_events(run: Callable[[], None]) -> Iterable[int]:
    """Bytes handed out (positive) and taken back, in the order of time.

    Garbage of others is collected before, and none during, so that no block but the step's is taken back.
    """
    gc.collect()
    gc.disable()
    try:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            run()
    finally:
        gc.enable()
    results = profiler.profiler.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return [event.nbytes() for event in events]

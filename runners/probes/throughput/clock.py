"""The clock: wall time of a turn of some steps in a row, and of each phase of each step."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from runners import devices

Mark = Callable[[], None]
Step = Callable[[Mark], None]
"""Runs one step on one batch and marks the end of each of its phases, the last one included."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of some steps in a row.

    Attributes:
        seconds: Wall time of all steps; an accelerator's queue was empty before and is after.
        laps_seconds: Time of each phase of each step, shape (steps, phases): wall time on a CPU, the
            device's own time by its events on an accelerator.
    """

    seconds: float
    laps_seconds: NDArray[np.float64]

    @property
    def steps(self) -> int:
        """Steps in the turn."""
        return len(self.laps_seconds)

    @property
    def step_seconds(self) -> float:
        """Wall time of one step."""
        return self.seconds / self.steps

    @property
    def device_step_seconds(self) -> float:
        """Time of one step by the marks."""
        return float(self.laps_seconds.sum() / self.steps)

    @property
    def phase_seconds(self) -> list[float]:
        """Time of each phase of one step, by the marks."""
        return [float(mean) for mean in self.laps_seconds.mean(axis=0)]


def time_turn(step: Step, steps: int, device: str) -> Turn:
    """Time some steps in a row; nothing but them stands between the two readings of the clock."""
    if device == "cpu":
        return _time_on_cpu(step, steps)
    return _time_on_accelerator(step, steps, device)


def _time_on_cpu(step: Step, steps: int) -> Turn:
    clock = time.perf_counter
    marks: list[float] = []
    append = marks.append

    def mark() -> None:
        append(clock())

    start = clock()
    for _ in range(steps):
        step(mark)
    end = clock()
    return Turn(end - start, np.diff(marks, prepend=start).reshape(steps, -1))


def _time_on_accelerator(step: Step, steps: int, device: str) -> Turn:
    # Events are recorded into the device's queue, so that phases are told apart without waiting for them.
    marks: list[Any] = [torch.Event(device, enable_timing=True)]

    def mark() -> None:
        event = torch.Event(device, enable_timing=True)
        event.record()
        marks.append(event)

    devices.synchronize(device)
    start = time.perf_counter()
    marks[0].record()
    for _ in range(steps):
        step(mark)
    devices.synchronize(device)
    seconds = time.perf_counter() - start
    laps = [before.elapsed_time(after) / 1e3 for before, after in pairwise(marks)]
    return Turn(seconds, np.array(laps).reshape(steps, -1))

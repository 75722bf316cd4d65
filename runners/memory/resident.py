"""Resident memory by phase: what the operating system saw the process hold."""

import ctypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from runners.memory.settings import StepSettings
from runners.memory.step import Build, Step

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # proc(5): reset the peak resident set size to the process's current one


@dataclass(frozen=True, slots=True)
class ResidentMeasurement:
    """Peaks of resident memory; Python, libraries and caches in use included.

    Attributes:
        before_bytes: Resident when the step began.
        peak_by_phase: Most resident at once, reset before each phase.
    """

    before_bytes: int
    peak_by_phase: Mapping[str, int]


def measure_resident(build: Build, settings: StepSettings) -> ResidentMeasurement:
    """Run a step on the CPU, unobserved, in this process; one of its own gives figures that compare.

    Raises:
        ValueError: The system does not let a process reset its peak (Linux does).
    """
    step = Step(build, settings, torch.device("cpu"), "cpu")
    step.prepare()
    step.run()
    _return_free_heap()
    reset_peak()
    before = peak_resident_bytes()
    peaks: dict[str, int] = {}
    for phase, run in step.phases():
        _return_free_heap()
        reset_peak()
        run()
        peaks[phase] = peak_resident_bytes()
    return ResidentMeasurement(before, peaks)


def reset_peak() -> None:
    """Let the peak begin anew at what is resident now.

    Raises:
        ValueError: The system does not allow it.
    """
    try:
        _CLEAR.write_text(_RESET_PEAK)
    except OSError as error:
        raise ValueError(f"peak of resident memory: {_CLEAR} cannot be written ({error.strerror})") from error


def _return_free_heap() -> None:
    """Let the C library give back what it keeps of freed memory, where it can (glibc's malloc_trim)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def peak_resident_bytes() -> int:
    """Most bytes resident since the last reset."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024

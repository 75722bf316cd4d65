"""How fast this machine computes, and whether others are at work on it: each seen in a third of a second."""

import time
from collections.abc import Iterable

import torch

from runners import devices, probes
from runners.probes import WorkloadSettings
from runners.probes.throughput.machine import Machine
from runners.probes.throughput.machine_state import BUSY_CORES, MachineState

REFERENCE = 20e9
"""Multiply-accumulates a second of one core, where nothing was measured."""

_SECONDS = 0.3


def macs_per_second(device: str) -> float:
    """Multiply-accumulates a second of a common convolution: of one core of a CPU, or of an accelerator.

    The best of some tries, since a forecast is of an undisturbed machine. 3x3, 64 to 64 channels, 28 px.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(device)
        images = torch.rand(8, 64, 28, 28).to(device)
        best, end = float("inf"), time.perf_counter() + _SECONDS
        with torch.inference_mode():
            while time.perf_counter() < end:
                devices.synchronize(device)
                start = time.perf_counter()
                layer(images)
                devices.synchronize(device)
                best = min(best, time.perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    return 8 * 28 * 28 * 64 * 64 * 9 / best


def others_at_work(workloads: Iterable[WorkloadSettings]) -> str | None:
    """A line where others keep cores busy that workloads are to be timed on; None where all is well."""
    if not any(probes.get(settings.kind).timed for settings in workloads):
        return None
    machine = Machine("cpu", ())
    before = machine.snapshot()
    time.sleep(_SECONDS)
    state = MachineState.between(before, machine.snapshot(), machine.count)
    if state.others_cores <= BUSY_CORES + state.slack:
        return None
    return (
        f"other processes use {state.others_cores:.1f} of {machine.count} cores: what is timed takes longer"
        " than the forecast and is known less well; close them, or run when the machine is idle"
    )

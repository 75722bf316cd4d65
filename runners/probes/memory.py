"""What a step needs in memory: simulated for any device, and measured by the allocator of the one at hand."""

from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import nn

import ablations
from results.records import Measurement, Outcome
from runners.arms import Findings, attempt, in_channels, make_variant
from runners.memory.measure import AllocatorMeasurement, measure_allocator
from runners.memory.metrics import METRICS
from runners.memory.profile import MemoryProfile
from runners.memory.settings import OptimizerName, StepSettings, Target
from runners.memory.simulate import simulate
from runners.probes import Mode, Probe, WorkloadSettings
from runners.trial import Trial, TrialArm


class MemorySettings(WorkloadSettings):
    """Keys of a workload of kind memory."""

    batch_size: int = Field(32, ge=1, description="images a step")
    modes: tuple[Mode, ...] = Field(("train", "inference"), min_length=1, description="what is followed")
    simulate: tuple[Target, ...] = Field(("cuda",), description="devices to simulate; they need not be there")
    measure: bool = Field(False, description="run the step and read the allocator too")
    optimizer: OptimizerName = "sgd"
    momentum: float = Field(0.9, ge=0)
    precision: Literal["fp32"] = "fp32"

    @property
    def context(self) -> str:
        """The optimizer, whose state is part of the memory."""
        return f"SGD, momentum {self.momentum:g}" if self.optimizer == "sgd" else "AdamW"


def run(trial: Trial) -> tuple[Outcome, ...]:
    """Simulate and measure the trial's arm in each mode."""
    return tuple(attempt(arm, partial(_profile, trial, arm)) for arm in trial.arms)


def _profile(trial: Trial, arm: TrialArm) -> Findings:
    settings = MemorySettings.model_validate(trial.workload.settings)
    variant = make_variant(arm)
    size = trial.workload.input_size
    shape = (settings.batch_size, in_channels(variant), size, size)

    def build(device: torch.device) -> nn.Module:
        return ablations.build(variant, device=device)

    measurements: list[Measurement] = []
    details: dict[str, object] = {}
    for mode in settings.modes:
        step = StepSettings(shape, mode=mode, optimizer=settings.optimizer, momentum=settings.momentum)
        for target in settings.simulate:
            profile = simulate(build, step, target=target)
            measurements += _followed(profile, mode, "simulated", target)
            details[f"simulated-{target}-{mode}"] = profile.summary()
        if settings.measure:
            measured = measure_allocator(build, step, device=torch.device(trial.device))
            measurements += _followed(measured.profile, mode, "measured", trial.device)
            measurements += _allocator(measured, mode, trial.device)
            details[f"measured-{trial.device}-{mode}"] = measured.profile.summary()
    return Findings(tuple(measurements), details=details)


def _followed(profile: MemoryProfile, mode: Mode, source: str, device: str) -> list[Measurement]:
    """The figures of live tensors."""
    figures = {
        "peak_bytes": profile.peak_bytes,
        "static_bytes": profile.static_bytes,
        "saved_bytes": profile.saved_bytes,
        "allocations": profile.allocations,
    }
    if mode == "inference":
        del figures["saved_bytes"]  # nothing is kept for a backward pass that never comes
    return [
        Measurement(name, (float(value),), source=source, device=device, mode=mode)
        for name, value in figures.items()
    ]


def _allocator(measured: AllocatorMeasurement, mode: Mode, device: str) -> list[Measurement]:
    """The figures of the allocator."""
    figures = {
        "allocator_peak_bytes": measured.allocator_peak_bytes,
        "workspace_bytes": measured.workspace_bytes,
    }
    return [
        Measurement(name, (float(value),), source="measured", device=device, mode=mode)
        for name, value in figures.items()
    ]


def estimate_seconds(settings: MemorySettings, macs: list[int]) -> float:
    """Simulation costs the same at any size; measuring computes the step three times."""
    passes = len(settings.modes) * len(settings.simulate)
    total = 0.2 + 0.5 * passes * len(macs)
    if settings.measure:
        total += sum(1 + 3 * 4 * settings.batch_size * count / 15e9 for count in macs)
    return total


PROBE = Probe(
    kind="memory",
    summary="peak of live tensors, simulated for any device and measured by the allocator at hand",
    settings=MemorySettings,
    metrics=METRICS,
    block_unit="exact",
    wave=0,
    interleaved=False,
    control=False,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
)

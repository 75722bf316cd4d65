"""What a step needs in memory: simulated for any device, and measured by the allocator of the one at hand."""

from functools import partial
from typing import Any

import torch
from pydantic import Field, field_validator

import ablations
from ablations import Variant
from results.records.record import Measurement
from runners.memory.fit import SAFETY_MARGIN, largest_batch
from runners.memory.measure import AllocatorMeasurement, measure_allocator
from runners.memory.profile import MemoryProfile
from runners.memory.settings import OptimizerName, Precision, StepSettings, Target
from runners.memory.simulate import simulate
from runners.memory.sizes import parse_size
from runners.memory.story import against, profile_story
from runners.outcomes import Findings, attempt, builder, in_channels, make_variant
from runners.probes import Mode, Probe, Result, WorkloadSettings
from runners.probes.memory.metrics import METRICS
from runners.trial import Trial, TrialArm

BASELINE = "baseline"


class MemorySettings(WorkloadSettings):
    """Keys of a workload of kind memory."""

    batch_size: int = Field(32, ge=1, description="images a step")
    modes: tuple[Mode, ...] = Field(("train", "inference"), min_length=1, description="what is followed")
    simulate: tuple[Target, ...] = Field(("cuda",), description="devices to simulate; they need not be there")
    measure: bool = Field(False, description="run the step and read the allocator too")
    optimizer: OptimizerName = "sgd"
    momentum: float = Field(0.9, ge=0)
    precision: Precision = "fp32"
    cards: tuple[str, ...] = Field((), description="find the largest batch for cards of these sizes: 24GiB")

    @field_validator("cards")
    @classmethod
    def _sizes(cls, cards: tuple[str, ...]) -> tuple[str, ...]:
        for card in cards:
            parse_size(card)
        return cards

    @property
    def card_bytes(self) -> dict[str, int]:
        """Bytes of each card."""
        return {card: parse_size(card) for card in self.cards}

    @property
    def context(self) -> str:
        """The optimizer, whose state is part of the memory."""
        return f"SGD, momentum {self.momentum:g}" if self.optimizer == "sgd" else "AdamW"


def run(trial: Trial) -> Result:
    """Simulate and measure the trial's arm in each mode."""
    return Result(tuple(attempt(arm, partial(_profile, trial, arm)) for arm in trial.arms))


def _profile(trial: Trial, arm: TrialArm) -> Findings:
    settings = MemorySettings.model_validate(trial.workload.settings)
    variant, baseline = make_variant(arm), ablations.variant(trial.workload.variants[BASELINE])
    measurements: list[Measurement] = []
    profiles: list[dict[str, Any]] = []
    for mode in settings.modes:
        for target in settings.simulate:
            step = _step(trial, settings, variant, mode)
            profile = simulate(builder(variant), step, target=target)
            measurements += _followed(profile, mode, "simulated", target)
            told = profile_story(profile, target)
            if arm.name != BASELINE:
                reference = _step(trial, settings, baseline, mode)
                told["against_baseline"] = against(
                    simulate(builder(baseline), reference, target=target), profile
                )
            told["safety_margin"] = SAFETY_MARGIN
            told["largest_batch_size"] = {
                card: largest_batch(builder(variant), step, nbytes, target=target).batch_size
                for card, nbytes in settings.card_bytes.items()
            }
            profiles.append(told)
        if settings.measure:
            step = _step(trial, settings, variant, mode)
            measured = measure_allocator(builder(variant), step, device=torch.device(trial.device))
            measurements += _followed(measured.profile, mode, "measured", trial.device)
            measurements += _allocator(measured, mode, trial.device)
            profiles.append(profile_story(measured.profile, trial.device))
    return Findings(tuple(measurements), details={"profiles": profiles})


def _step(trial: Trial, settings: MemorySettings, variant: Variant, mode: Mode) -> StepSettings:
    size = trial.workload.input_size
    return StepSettings(
        (settings.batch_size, in_channels(variant), size, size),
        mode=mode,
        optimizer=settings.optimizer,
        momentum=settings.momentum,
        precision=settings.precision,
    )


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


def estimate_seconds(settings: MemorySettings, macs: list[int], rate: float) -> float:
    """Simulation costs the same at any size; measuring computes the step three times."""
    # An arm and the baseline beside it, and some ten steps in search of the largest batch of a card.
    passes = len(settings.modes) * len(settings.simulate) * (2 + 10 * len(settings.cards))
    total = 0.3 + 0.2 * passes * len(macs)
    if settings.measure:
        total += sum(1 + 3 * 4 * settings.batch_size * count * 2.5 / rate for count in macs)
    return total


PROBE = Probe(
    kind="memory",
    summary="peak of live tensors, simulated for any device and measured by the allocator at hand",
    settings=MemorySettings,
    metrics=METRICS,
    block_unit="exact",
    wave=0,
    control=False,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
)

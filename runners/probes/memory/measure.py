"""Each arm's step, simulated for the targets and measured on the trial's device."""

from dataclasses import dataclass, field

import torch

import ablations
from ablations import Variant
from results.records.profile_summary import ProfileSummary
from results.records.record import Measurement, OutcomeDetails
from runners.memory.fit import SAFETY_MARGIN, largest_batch
from runners.memory.measure import measure_allocator
from runners.memory.profile import MemoryProfile
from runners.memory.settings import StepSettings, Target
from runners.memory.simulate import simulate
from runners.memory.story import profile_story
from runners.outcomes import Findings, builder, each_arm, in_channels, make_variant
from runners.probes import Result
from runners.probes.memory import figures
from runners.probes.memory.settings import MemorySettings
from runners.trial import Trial, TrialArm
from runners.workload_settings import Mode

BASELINE = "baseline"


def run(trial: Trial) -> Result:
    """Simulate and measure the trial's arm in each mode."""
    return Result(each_arm(trial, _profile))


@dataclass
class _Found:
    """What is known of the arm so far."""

    measurements: list[Measurement] = field(default_factory=list)
    profiles: list[ProfileSummary] = field(default_factory=list)
    invalid: dict[str, str] = field(default_factory=dict)


def _profile(trial: Trial, arm: TrialArm) -> Findings:
    settings = MemorySettings.model_validate(trial.workload.settings)
    variant = make_variant(arm)
    baseline = None if arm.name == BASELINE else ablations.variant(trial.workload.variants[BASELINE])
    found = _Found()
    for mode in settings.modes:
        for target in settings.simulate:
            profile, told = _simulate(settings, mode, target, variant, baseline)
            found.measurements += figures.simulated(profile, target)
            found.profiles.append(told)
        if settings.measure:
            step = _step(settings, variant, mode)
            measured = measure_allocator(builder(variant), step, device=torch.device(trial.device))
            found.measurements += figures.measured(measured, trial.device)
            found.invalid |= figures.disbelieved(measured)
            found.profiles.append(profile_story(measured.profile, trial.device))
    details: OutcomeDetails = {"profiles": found.profiles}
    if found.invalid:
        details["invalid"] = found.invalid
    return Findings(tuple(found.measurements), details=details)


def _simulate(
    settings: MemorySettings, mode: Mode, target: Target, variant: Variant, baseline: Variant | None
) -> tuple[MemoryProfile, ProfileSummary]:
    """A step on a device that need not be there, what it needs more than the baseline's, and what fits."""
    step = _step(settings, variant, mode)
    profile = simulate(builder(variant), step, target=target)
    reference = (
        simulate(builder(baseline), _step(settings, baseline, mode), target=target) if baseline else None
    )
    batches = {
        card: largest_batch(builder(variant), step, nbytes, target=target).batch_size
        for card, nbytes in settings.card_bytes.items()
    }
    told = profile_story(
        profile, target, baseline=reference, safety_margin=SAFETY_MARGIN, largest_batch_size=batches
    )
    return profile, told


def _step(settings: MemorySettings, variant: Variant, mode: Mode) -> StepSettings:
    size = settings.image_size
    return StepSettings(
        (settings.batch_size, in_channels(variant), size, size),
        mode=mode,
        optimizer=settings.optimizer,
        momentum=settings.momentum,
        **settings.how,
    ).of(dict(variant.levels))

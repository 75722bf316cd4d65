"""From a study to its trials: the complete list, before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from results.records.resolved_study import ResolvedStudy, Workload
from runners import datasets
from runners.arms import arms_of
from runners.contexts import Context, contexts_of
from runners.feasibility import check
from runners.machine_speed import REFERENCE
from runners.resolve import resolve
from runners.study import Study
from runners.trial import Trial
from runners.trial_id import identified

_SCALING = 0.85
"""A second thread adds less than the first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a study will do.

    Attributes:
        study: The study with every default filled in, as the run directory keeps it.
        trials: In order of execution; trials of one wave may run side by side.
        warnings: A line for each arm that will fail; it becomes a row that says why.
    """

    study: ResolvedStudy
    trials: tuple[Trial, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Machine:
    device: str
    cores: int
    macs_per_second: float


def plan(
    study: Study,
    *,
    device: str = "cpu",
    cores: int = 1,
    macs_per_second: float = REFERENCE,
) -> Plan:
    """List every trial of a study, those included that a stopping rule may find not worth it.

    Args:
        study: A checked study.
        device: Where trials run.
        cores: Cores of this machine, for what runs on all of them.
        macs_per_second: What one core (or the accelerator) does, for forecasts; no trial's id depends on it.

    Raises:
        BadInput: Arms that cannot be built, or inputs that they cannot hold; all of them at once.
    """
    arms = arms_of(study)
    contexts = list(contexts_of(study, arms))
    warnings = check(study, arms, contexts)
    resolved = resolve(study, arms, contexts)
    machine = _Machine(device, cores, macs_per_second)
    trials = [
        trial
        for context, workload in zip(contexts, resolved.workloads, strict=True)
        for trial in _trials(study, context, workload, machine)
    ]
    return Plan(resolved, tuple(sorted(trials, key=_order)), warnings)


def _trials(study: Study, context: Context, workload: Workload, machine: _Machine) -> list[Trial]:
    settings, probe = context.settings, context.probe
    arms = [context.arms[name] for name in workload.variants]
    groups = [tuple(arms)] if settings.interleaved else [(arm,) for arm in arms]
    macs = {name: rehearsal.macs for name, rehearsal in context.rehearsals.items()}
    threads = (getattr(settings, "threads", None) or machine.cores) if probe.timed else 1
    rate = machine.macs_per_second * (threads**_SCALING if machine.device == "cpu" else 1)
    return [
        identified(
            Trial(
                id="",
                workload=workload,
                arms=group,
                block="exact" if probe.block_unit == "exact" else f"{probe.block_unit}-{index}",
                index=index,
                seed=study.seed,
                device=machine.device,
                threads=threads,
                timed=probe.timed,
                wave=probe.wave,
                estimated_seconds=probe.estimate_seconds(settings, [macs[arm.name] for arm in group], rate),
                plugins=study.plugins,
                folder=datasets.folder(workload.dataset),
            )
        )
        for index in range(max(map(workload.most, workload.variants)))
        for group in groups
        if any(index < workload.most(arm.name) for arm in group)
    ]


def _order(trial: Trial) -> tuple[int, int, float]:
    """By wave; blocks in turn, so that an interrupted run has whole blocks.

    Within a block long trials come first, which packs them well; timed ones come as drawn, so that no arm
    is always the first.
    """
    last = trial.stream("turn", arm=trial.arms[0].name) if trial.timed else -trial.estimated_seconds
    return (trial.wave, trial.index, last)


def forecast_seconds(trials: Sequence[Trial], cores: int) -> float:
    """What trials take together: timed ones alone, the others packed on all cores."""
    return sum(trial.estimated_seconds / (1 if trial.timed else cores) for trial in trials)

"""What a workload makes of the arms: the levels that its context adds, and the variants that result."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ablations import Level
from ablations.factor import format_level
from ablations.variant import canonical
from results.records.resolved_study import Arm, Relation
from runners import probes
from runners.probes import Probe, WorkloadSettings
from runners.rehearsal import IMAGES, Rehearsal, rehearse
from runners.study import Study
from runners.study_checks import fixed_by
from runners.trial import TrialArm


@dataclass(frozen=True, slots=True)
class Context:
    """A workload and the arms in it.

    Attributes:
        settings: The workload.
        probe: What runs it.
        relation: The workload that this one comes with, and how; None where it stands for itself.
        declared: Whether the study file names it.
        arms: By name.
        rehearsals: What came of trying each arm.
    """

    settings: WorkloadSettings
    probe: Probe
    relation: Relation | None
    declared: bool
    arms: Mapping[str, TrialArm]
    rehearsals: Mapping[str, Rehearsal]


def contexts_of(study: Study, arms: tuple[Arm, ...]) -> Iterator[Context]:
    """Every workload of a study, in order: complexity first, companions after what they come with."""
    for settings in _complexity_workloads(study):
        yield _context(study, arms, settings, None, declared=False)
    for settings in study.workloads:
        yield _context(study, arms, settings, None, declared=True)
        for kind, companion in settings.companions:
            yield _context(study, arms, companion, Relation(kind, settings.name), declared=False)


def _context(
    study: Study,
    arms: tuple[Arm, ...],
    settings: WorkloadSettings,
    relation: Relation | None,
    *,
    declared: bool,
) -> Context:
    levels = {arm.name: _arm_levels(study, settings, arm) for arm in arms}
    return Context(
        settings,
        probes.get(settings.kind),
        relation,
        declared,
        {name: _trial_arm(study, name, chosen) for name, chosen in levels.items()},
        {
            name: rehearse(
                study.architecture,
                chosen,
                settings.image_size,
                images=min(IMAGES, getattr(settings, "batch_size", IMAGES)),
                modes=frozenset(getattr(settings, "modes", ("train", "inference"))),
            )
            for name, chosen in levels.items()
        },
    )


def _complexity_workloads(study: Study) -> list[WorkloadSettings]:
    """One complexity workload for each context that the study's workloads have between them.

    None where the study declares such workloads itself.
    """
    if any(settings.kind == "complexity" for settings in study.workloads):
        return []
    named = [*study.workloads, *(other for one in study.workloads for _, other in one.companions)]
    taken = {settings.name for settings in named}
    found: dict[tuple[object, ...], WorkloadSettings] = {}
    for settings in (one for one in study.workloads if not probes.get(one.kind).of_baseline):
        levels = context_levels(study, settings)
        whole = {factor.name: factor.baseline for factor in study.architecture.factors} | levels
        key = (tuple(whole.items()), settings.image_size)
        if key not in found:
            name = _free(f"complexity-{settings.image_size}px", f"complexity-{settings.name}", taken)
            taken.add(name)
            texts = {factor: format_level(level) for factor, level in levels.items()}
            found[key] = WorkloadSettings(
                kind="complexity", name=name, levels=texts, image_size=settings.image_size
            )
    return list(found.values())


def _free(name: str, other: str, taken: set[str]) -> str:
    """A name that no workload has: the first, the other, or the other with a number."""
    numbered = (f"{other}-{number}" for number in range(2, len(taken) + 3))
    return next(candidate for candidate in (name, other, *numbered) if candidate not in taken)


def context_levels(study: Study, settings: WorkloadSettings) -> dict[str, Level]:
    """The levels that a workload fixes; a data set fixes channels and classes."""
    texts = dict(settings.levels)
    dataset = getattr(settings, "dataset", None)
    if dataset is not None:
        texts |= fixed_by(dataset, study.architecture)
    return {name: study.architecture.factor(name).parse(text) for name, text in texts.items()}


def _arm_levels(study: Study, settings: WorkloadSettings, arm: Arm) -> dict[str, Level]:
    """Every level of an arm in the workload's context."""
    architecture = study.architecture
    chosen = {name: levels[0] for name, levels in study.factors.items()} | arm.changes
    changed = context_levels(study, settings) | {
        name: architecture.factor(name).parse(text) for name, text in chosen.items()
    }
    return {factor.name: changed.get(factor.name, factor.baseline) for factor in architecture.factors}


def _trial_arm(study: Study, name: str, levels: Mapping[str, Level]) -> TrialArm:
    """The arm with the variant that it is here, named even where it cannot be built."""
    factors = study.architecture.factors
    unusual = {
        factor.name: levels[factor.name] for factor in factors if levels[factor.name] != factor.baseline
    }
    return TrialArm(
        name, canonical(study.architecture.name, unusual), canonical(study.architecture.name, levels)
    )

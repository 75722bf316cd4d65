"""From a study to its trials: the complete list, before anything runs."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import ablations
from ablations import Level
from ablations.factor import format_level
from ablations.variant import canonical
from results.records.resolved_study import CONTROL_FACTOR, Arm, FactorInfo, Relation, ResolvedStudy, Workload
from runners import datasets, probes
from runners.errors import BadInput
from runners.machine_speed import REFERENCE
from runners.operator_counts import complexity
from runners.outcomes import in_channels
from runners.probes import Probe, WorkloadSettings
from runners.study import Study
from runners.trial import Trial, TrialArm, make_trial

_SCALING = 0.85
_AMPLE_PIXELS = 512
"""An image that any geometry of a stem can hold."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a study will do.

    Attributes:
        study: The study with every default filled in, as the run directory keeps it.
        trials: In order of execution; trials of one wave may run side by side.
    """

    study: ResolvedStudy
    trials: tuple[Trial, ...]


def plan(
    study: Study,
    *,
    device: str = "cpu",
    cores: int = 1,
    budget_seconds: float | None = None,
    macs_per_second: float = REFERENCE,
) -> Plan:
    """List every trial of a study, those included that a stopping rule may find not worth it.

    Args:
        study: A checked study.
        device: Where trials run.
        cores: Cores of this machine, for what runs on all of them.
        macs_per_second: What one core (or the accelerator) does, for forecasts; no trial's id depends on it.
        budget_seconds: What the blocks that a stopping rule adds may take in sum.

    Raises:
        BadInput: Arms that cannot be built, or inputs that they cannot hold; all of them at once.
    """
    arms = _arms(study)
    contexts: list[tuple[Relation | None, WorkloadSettings]] = [
        (None, settings) for settings in _complexity_contexts(study)
    ]
    for settings in study.workloads:
        contexts.append((None, settings))
        contexts += [(Relation(kind, settings.name), other) for kind, other in settings.companions]
    mistakes: list[str] = []
    workloads: list[Workload] = []
    trials: list[Trial] = []
    for relation, settings in contexts:
        probe = probes.get(settings.kind)
        variants = {arm.name: _arm_variant(study, settings, arm) for arm in arms}
        macs = _check(study, settings, arms, variants, mistakes)
        workload = _workload(settings, probe, arms, variants, relation)
        workloads.append(workload)
        if not mistakes:
            trials += _trials(
                study,
                settings,
                probe,
                workload,
                variants,
                macs,
                device=device,
                cores=cores,
                macs_per_second=macs_per_second,
            )
    if mistakes:
        raise BadInput(list(dict.fromkeys(mistakes)))
    resolved = ResolvedStudy(
        name=study.name,
        question=study.file.question,
        architecture=study.architecture.name,
        design=study.file.design,
        seed=study.file.seed,
        factors=tuple(
            FactorInfo(
                name, study.architecture.factor(name).kind.value, study.architecture.factor(name).help, levels
            )
            for name, levels in study.file.factors.items()
        ),
        arms=arms,
        workloads=tuple(workloads),
        metrics=tuple(
            replace(metric, margin=study.file.margins.get(metric.name, metric.margin))
            for kind in dict.fromkeys(settings.kind for _, settings in contexts)
            for metric in probes.get(kind).metrics
        ),
        budget_seconds=budget_seconds,
    )
    return Plan(resolved, tuple(sorted(trials, key=_order)))


def _arms(study: Study) -> tuple[Arm, ...]:
    """Baseline, control, then the design's arms."""
    factors = study.file.factors
    match study.file.design:
        case "one-at-a-time":
            changes = [{name: level} for name, levels in factors.items() for level in levels[1:]]
        case "full-factorial":
            combinations = itertools.product(
                *([(name, level) for level in factors[name]] for name in factors)
            )
            changes = [
                {name: level for name, level in combination if level != factors[name][0]}
                for combination in combinations
            ]
    named = [
        Arm(",".join(f"{name}={change[name]}" for name in sorted(change)), "arm", change)
        for change in changes
        if change
    ]
    return (Arm("baseline", "baseline", {}), Arm(CONTROL_FACTOR, "control", {}), *named)


def _complexity_contexts(study: Study) -> list[WorkloadSettings]:
    """One complexity workload for each context that the study's workloads have between them."""
    contexts: dict[tuple[object, ...], WorkloadSettings] = {}
    for settings in study.workloads:
        levels = _context_levels(study, settings)
        key = (tuple(sorted(levels.items())), settings.image_size)
        taken = [other.name for other in contexts.values()] + [other.name for other in study.workloads]
        name = f"complexity-{settings.image_size}px"
        if name in taken:
            name = f"complexity-{settings.name}"
        texts = {factor: format_level(level) for factor, level in levels.items()}
        contexts.setdefault(
            key, WorkloadSettings(kind="complexity", name=name, levels=texts, image_size=settings.image_size)
        )
    declared = {settings.kind for settings in study.workloads}
    return [] if "complexity" in declared else list(contexts.values())


def _context_levels(study: Study, settings: WorkloadSettings) -> dict[str, Level]:
    """The levels that a workload fixes; a data set fixes channels and classes."""
    levels = {name: study.architecture.factor(name).parse(text) for name, text in settings.levels.items()}
    name = getattr(settings, "dataset", None)
    if name is not None:
        dataset = datasets.get(name)
        known = {factor.name for factor in study.architecture.factors}
        fixed: dict[str, Level] = {"in_channels": dataset.in_channels, "num_classes": dataset.num_classes}
        levels |= {factor: level for factor, level in fixed.items() if factor in known}
    return levels


def _arm_variant(study: Study, settings: WorkloadSettings, arm: Arm) -> TrialArm:
    """The arm in the workload's context, named even where it cannot be built."""
    architecture = study.architecture
    texts = {name: levels[0] for name, levels in study.file.factors.items()} | arm.changes
    changed = _context_levels(study, settings) | {
        name: architecture.factor(name).parse(text) for name, text in texts.items()
    }
    complete = {factor.name: changed.get(factor.name, factor.baseline) for factor in architecture.factors}
    unusual = {
        factor.name: complete[factor.name]
        for factor in architecture.factors
        if complete[factor.name] != factor.baseline
    }
    return TrialArm(arm.name, canonical(architecture.name, unusual), canonical(architecture.name, complete))


def _check(
    study: Study,
    settings: WorkloadSettings,
    arms: tuple[Arm, ...],
    variants: dict[str, TrialArm],
    mistakes: list[str],
) -> dict[str, int]:
    """MACs for one image by arm; what the user named and cannot be built is a mistake.

    Combinations that only the design makes are let through: each becomes a row with its reason.
    """
    macs: dict[str, int] = {}
    for arm in arms:
        try:
            macs[arm.name] = _macs(variants[arm.name].complete_variant, settings.image_size)
        except ValueError as error:
            macs[arm.name] = 0
            if len(arm.changes) <= 1:
                mistakes.append(f"study {study.name}, workload {settings.name}: arm {arm.name}: {error}")
    return macs


@cache
def _macs(complete_variant: str, image_size: int) -> int:
    """MACs for one image; 0 for a variant that fails at any size, which is its trials' to report.

    Raises:
        ValueError: The variant cannot be built, or holds larger images but not these.
    """
    variant = ablations.variant(complete_variant)
    network = ablations.build(variant, device="meta")
    channels = in_channels(variant)
    try:
        return complexity(network, image_size, channels).macs
    except ValueError:
        try:
            complexity(network, _AMPLE_PIXELS, channels)
        except ValueError:
            return 0
        raise


def _workload(
    settings: WorkloadSettings,
    probe: Probe,
    arms: tuple[Arm, ...],
    variants: dict[str, TrialArm],
    relation: Relation | None,
) -> Workload:
    own_batch = getattr(settings, "card", None) is not None
    batch_size = None if own_batch else getattr(settings, "batch_size", None)
    dataset = getattr(settings, "dataset", None)
    parts = [
        variants["baseline"].variant,
        f"{settings.image_size} px",
        *([f"batch {batch_size}"] if batch_size else []),
        *([dataset] if dataset else []),
        *([settings.context] if settings.context else []),
    ]
    return Workload(
        name=settings.name,
        kind=probe.kind,
        block_unit=probe.block_unit,
        replicates=settings.replicates,
        variants={
            arm.name: variants[arm.name].variant for arm in arms if probe.control or arm.role != "control"
        },
        input_size=settings.image_size,
        batch_size=batch_size,
        precision=getattr(settings, "precision", "fp32"),
        dataset=dataset,
        context=", ".join(parts),
        settings=settings.model_dump(mode="json"),
        relation=relation,
        stopping=settings.stopping,
    )


def _trials(
    study: Study,
    settings: WorkloadSettings,
    probe: Probe,
    workload: Workload,
    variants: dict[str, TrialArm],
    macs: dict[str, int],
    *,
    device: str,
    cores: int,
    macs_per_second: float,
) -> list[Trial]:
    arms = [variants[name] for name in workload.variants]
    groups = [tuple(arms)] if settings.interleaved else [(arm,) for arm in arms]
    threads = (getattr(settings, "threads", None) or cores) if probe.timed else 1
    # A second thread adds less than the first.
    rate = macs_per_second * (threads**_SCALING if device == "cpu" else 1)
    return [
        make_trial(
            workload=workload,
            arms=group,
            block="exact" if probe.block_unit == "exact" else f"{probe.block_unit}-{index}",
            index=index,
            seed=study.file.seed,
            device=device,
            threads=threads,
            timed=probe.timed,
            wave=probe.wave,
            estimated_seconds=probe.estimate_seconds(settings, [macs[arm.name] for arm in group], rate),
            plugins=study.plugins,
        )
        for index in range(workload.stopping.at_most if workload.stopping else workload.replicates)
        for group in groups
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

"""The study as the run directory keeps it: every default filled in, nothing left to look up."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from ablations.factor import Kind
from results.records.resolved_study import Arm, FactorInfo, ResolvedStudy, Workload
from runners import claims
from runners.contexts import Context
from runners.outcomes import NotApplicable
from runners.study import Study
from runners.workload_settings import RunningSettings, Share, WorkloadSettings


def resolve(study: Study, arms: tuple[Arm, ...], contexts: Sequence[Context]) -> ResolvedStudy:
    """Write down what a study is."""
    used = {context.probe.kind: context.probe for context in contexts}
    workloads = tuple(_workload(study, context, arms) for context in contexts)
    return ResolvedStudy(
        name=study.name,
        question=study.question,
        architecture=study.architecture.name,
        design=study.design,
        seed=study.seed,
        factors=tuple(_factor(study, name) for name in study.factors),
        arms=arms,
        workloads=workloads,
        metrics=tuple(
            replace(metric, margin=study.margins.get(metric.name, metric.margin))
            for probe in used.values()
            for metric in probe.metrics
        ),
        looks=study.looks,
        claims=tuple(claims.declared(study, study.claims, workloads, arms)),
    )


def _factor(study: Study, name: str) -> FactorInfo:
    factor = study.architecture.factor(name)
    return FactorInfo(name, factor.kind.value, factor.help, study.factors[name])


def _workload(study: Study, context: Context, arms: tuple[Arm, ...]) -> Workload:
    settings, probe = context.settings, context.probe
    run_as = _run_as(settings)
    own_batch = getattr(settings, "card", None) is not None
    batch_size = None if own_batch else getattr(settings, "batch_size", None)
    dataset = getattr(settings, "dataset", None)
    parts = [
        context.arms["baseline"].variant,
        f"{settings.image_size} px",
        *([f"batch {batch_size}"] if batch_size else []),
        *([dataset] if dataset else []),
        *([run_as.context] if run_as.context else []),
    ]
    return Workload(
        name=settings.name,
        kind=probe.kind,
        block_unit=probe.block_unit,
        replicates=settings.replicates,
        variants={
            arm.name: context.arms[arm.name].variant for arm in arms if _takes_part(study, context, arm)
        },
        input_size=settings.image_size,
        batch_size=batch_size,
        precision=getattr(run_as, "precision", "fp32"),
        dataset=dataset,
        context=", ".join(parts),
        settings=settings.model_dump(mode="json"),
        stopping=settings.stopping,
        relation=context.relation,
        conditions=run_as.conditions,
        paired=settings.paired,
        blocks=_blocks(study, settings, arms),
    )


def _run_as(settings: WorkloadSettings) -> WorkloadSettings:
    """The settings as the levels that all arms share change them."""
    if isinstance(settings, RunningSettings):
        with suppress(NotApplicable):  # which every trial says
            return settings.of(settings.levels)
    return settings


def _takes_part(study: Study, context: Context, arm: Arm) -> bool:
    """A duplicate where anything varies; no rate is searched for what must train as the baseline does."""
    if context.relation is not None and context.relation.kind == "rate_search":
        return arm.role == "baseline" or (arm.role == "arm" and _share(study, arm) == "arm")
    if context.probe.of_baseline:
        return arm.role == "baseline"
    return context.probe.control or arm.role != "control"


def _blocks(study: Study, settings: WorkloadSettings, arms: tuple[Arm, ...]) -> dict[str, int]:
    """Blocks by arm, where it is not as many as most have."""
    found = {arm.name: settings.blocks_of(_share(study, arm)) for arm in arms}
    return {name: count for name, count in found.items() if count != settings.replicates}


def _share(study: Study, arm: Arm) -> Share:
    if arm.role == "arm":
        return "placebo" if _are_equivalent(study, _leaning(study, arm)) else "arm"
    return "baseline" if arm.role == "baseline" else "arm"


def _leaning(study: Study, arm: Arm) -> Iterable[str]:
    """The factors whose contrasts lean on an arm: its own, or all where arms are averaged over."""
    alone = study.design in {"one-at-a-time", "leave-one-out"} and not study.pairs
    return arm.changes if alone else study.factors


def _are_equivalent(study: Study, factors: Iterable[str]) -> bool:
    return {study.architecture.factor(name).kind for name in factors} == {Kind.EQUIVALENT}

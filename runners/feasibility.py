"""Whether the arms of a study can run: what is the study's mistake, and what becomes a row of the report."""

from collections.abc import Iterator, Sequence

from ablations.factor import format_level
from ablations.variant import parse
from results.records.resolved_study import Arm
from runners import data_checks
from runners.contexts import Context, context_levels
from runners.errors import BadInput
from runners.rehearsal import Problem
from runners.study import Study

_OF_DATA = frozenset({"in_channels", "num_classes"})
"""Factors that a data set decides."""


def check(study: Study, arms: Sequence[Arm], contexts: Sequence[Context]) -> tuple[str, ...]:
    """Hold arms against the workloads that the study declares.

    Returns:
        A line for each arm that will fail, in whatever workloads, and what is odd about data and settings.

    Raises:
        BadInput: Levels that the study names and that cannot be built or hold the images, or a workload
            that no arm gets through; all of them at once.
    """
    declared = [context for context in contexts if context.declared]
    mistakes = [line for context in declared for line in _mistakes(study, arms, context)]
    if mistakes:
        raise BadInput(list(dict.fromkeys(mistakes)))
    odd = (f"workload {one.name}: {line}" for one in study.workloads for line in one.warnings)
    return (
        *_warnings(arms, declared),
        *_other_networks(study),
        *data_checks.warnings(study.workloads),
        *odd,
    )


def _other_networks(study: Study) -> Iterator[str]:
    """Where channels and classes alone make a workload's networks others than those that are trained."""
    usual = {factor.name: factor.baseline for factor in study.architecture.factors}
    whole = {one.name: usual | context_levels(study, one) for one in study.workloads}
    trained = [one for one in study.workloads if getattr(one, "dataset", None) is not None]
    for one in (one for one in study.workloads if one not in trained):
        for other in trained:
            mine, its = whole[one.name], whole[other.name]
            different = {name: level for name, level in its.items() if mine[name] != level}
            if different and different.keys() <= _OF_DATA - one.levels.keys():
                said = ", ".join(f"{name} = {format_level(level)}" for name, level in different.items())
                yield (
                    f"workload {one.name}: other networks than {other.name} trains;"
                    f" levels = {{ {said} }} makes them the same"
                )
                break


def _mistakes(study: Study, arms: Sequence[Arm], context: Context) -> Iterator[str]:
    """Combinations that only the design makes are let through: each becomes a row with its reason."""
    where = f"study {study.name}, workload {context.settings.name}"
    problems = {arm.name: context.rehearsals[arm.name].problem for arm in arms if arm.role != "control"}
    for arm in arms:
        problem = problems.get(arm.name)
        if problem is not None and problem.kind != "failing" and len(arm.changes) <= 1:
            yield f"{where}: arm {arm.name}: {problem.reason}"
    failing = [problem for problem in problems.values() if problem is not None and problem.kind == "failing"]
    if len(failing) == len(problems):
        by_cause = {problem.cause: problem for problem in reversed(failing)}
        for problem in by_cause.values():
            yield f"{where}: every arm fails on images of {_image(context)}: {problem.reason}"


def _warnings(arms: Sequence[Arm], contexts: Sequence[Context]) -> Iterator[str]:
    for arm in arms:
        if arm.role == "control":
            continue
        where: dict[Problem, list[str]] = {}
        for context in contexts:
            problem = context.rehearsals[arm.name].problem
            if problem is not None:
                where.setdefault(problem, []).append(context.settings.name)
        untouched = (line for context in contexts for line in context.rehearsals[arm.name].untouched)
        for line in dict.fromkeys(untouched):
            yield f"arm {arm.name}: {line}"
        for problem, workloads in where.items():
            verb = "cannot be built" if problem.kind == "unbuildable" else "will fail"
            yield f"arm {arm.name} {verb} in {', '.join(workloads)}: {problem.reason}"


def _image(context: Context) -> str:
    """`3x224x224`: channels, which the network may not take, and pixels."""
    levels = parse(context.arms["baseline"].complete_variant).assignments
    size = context.settings.image_size
    return f"{levels.get('in_channels', '3')}x{size}x{size}"

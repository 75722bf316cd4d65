"""Effects and interactions: which contrasts a study asks for, and the frames they come out as."""

from dataclasses import dataclass

import pandas as pd

from results.records.resolved_study import ResolvedStudy
from results.verdicts.cells import Cell, cells
from results.verdicts.checks import Checks
from results.verdicts.comparison import Comparison
from results.verdicts.controls import Controls
from results.verdicts.divergence import divergence_rows, failure_rows
from results.verdicts.events import with_events
from results.verdicts.judge import judge
from results.verdicts.rows import frame


@dataclass(frozen=True, slots=True)
class Contrasts:
    """What a study asks, judged.

    Attributes:
        effects: One row per arm and cell, the control's first; columns as `rows.COLUMNS`.
        interactions: One row per pair of factors and cell: what two changes do together beyond what each
            does alone.
    """

    effects: pd.DataFrame
    interactions: pd.DataFrame


def contrasts(
    study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
) -> Contrasts:
    """Judge every arm against the baseline, and every pair of changes against its parts.

    The family of an arm is all arms of its cell. The A/A rows of everything that varies are one family
    per environment, those of isolated spot checks another, those of divergence a third. What a duplicate
    says of its cell holds for every row of it, interactions included; see `Controls`.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
        curves: As `results.frames.samples.curves` gives it.
    """
    asked = (cell for cell in cells(study, series, outcomes) if not cell.workload.belongs_to("rate_search"))
    found = with_events(asked, curves)
    checks = Checks.of(study, series, outcomes, curves)
    single = [comparison for cell in found for comparison in _effects(study, cell, checks)]
    pairs = [comparison for cell in found for comparison in _interactions(study, cell)]
    proportions = [*divergence_rows(study, outcomes), *failure_rows(study, found, outcomes)]
    effects = frame(judge(single, checks, study.looks) + proportions)
    controls = Controls.of(effects)
    return Contrasts(controls.applied(effects), controls.applied(frame(judge(pairs, checks, study.looks))))


def _effects(study: ResolvedStudy, cell: Cell, checks: Checks) -> list[Comparison]:
    baseline = study.baseline
    return [
        Comparison(
            cell,
            arm.name,
            baseline,
            {arm.name: 1.0, baseline: -1.0},
            cell.family if arm.role == "arm" else _control_family(cell),
            study.labels(arm),
            paired=cell.workload.paired or checks.is_placebo(cell, arm.name),
        )
        for arm in sorted(study.arms, key=lambda arm: arm.role != "control")
        if arm.role != "baseline" and arm.name in cell.workload.variants
    ]


def _interactions(study: ResolvedStudy, cell: Cell) -> list[Comparison]:
    if cell.metric is None:
        return []
    baseline = study.baseline
    found = []
    for arm in study.arms:
        parts = parts_of(study, arm.name)
        if len(parts) == 2 and arm.name in cell.workload.variants:
            weights = {arm.name: 1.0, parts[0]: -1.0, parts[1]: -1.0, baseline: 1.0}
            family = f"interactions {cell.family}"
            labels = study.labels(arm)
            found.append(
                Comparison(cell, arm.name, baseline, weights, family, labels, paired=cell.workload.paired)
            )
    return found


def parts_of(study: ResolvedStudy, arm: str) -> tuple[str, ...]:
    """The two arms that each have one of an arm's two changes; none where it is not made of two."""
    single = {next(iter(a.changes.items())): a.name for a in study.arms if len(a.changes) == 1}
    changes = next((a.changes for a in study.arms if a.name == arm), {})
    parts = tuple(single[change] for change in sorted(changes.items()) if change in single)
    return parts if len(changes) == len(parts) == 2 else ()


def _control_family(cell: Cell) -> str:
    """A spot check compares other processes at other times: its A/A rows say nothing about the others."""
    checks = cell.workload.belongs_to("spot_check") is not None
    kind = "exact " if cell.exact else "spot check " if checks else ""
    return f"A/A {kind}{cell.environment}"

"""Effects and interactions: which contrasts a study asks for, and the frames they come out as."""

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR, ResolvedStudy
from results.verdicts import notes
from results.verdicts.cells import CELL_COLUMNS, Cell, cells
from results.verdicts.checks import Checks
from results.verdicts.divergence import divergence_rows
from results.verdicts.judge import Comparison, judge
from results.verdicts.rows import frame


def effects(
    study: ResolvedStudy, measurements: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
) -> pd.DataFrame:
    """One row per arm and cell, the control's first; columns as the report's contract says, extras last.

    The family of an arm is all arms of its cell. The A/A rows of everything that varies are one family
    per environment, those of isolated spot checks another.
    """
    baseline = study.baseline
    comparisons = [
        Comparison(
            cell,
            arm.name,
            baseline,
            {arm.name: 1.0, baseline: -1.0},
            cell.family if arm.role == "arm" else _control_family(cell),
            study.labels(arm),
        )
        for cell in cells(study, measurements, outcomes)
        for arm in sorted(study.arms, key=lambda arm: arm.role != "control")
        if arm.role != "baseline" and arm.name in cell.workload.variants
    ]
    rows = judge(comparisons, Checks.of(study, measurements, outcomes, curves))
    return _invalidate(frame(rows + divergence_rows(study, outcomes)))


def interactions(
    study: ResolvedStudy, measurements: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
) -> pd.DataFrame:
    """One row per pair of factors and cell: what two changes do together beyond what each does alone."""
    baseline = study.baseline
    single = {next(iter(arm.changes.items())): arm.name for arm in study.arms if len(arm.changes) == 1}
    comparisons = []
    for cell in cells(study, measurements, outcomes):
        for arm in study.arms:
            parts = [single[change] for change in sorted(arm.changes.items()) if change in single]
            if len(arm.changes) == len(parts) == 2 and cell.metric and arm.name in cell.workload.variants:
                weights = {arm.name: 1.0, parts[0]: -1.0, parts[1]: -1.0, baseline: 1.0}
                family = f"interactions {cell.family}"
                comparisons.append(Comparison(cell, arm.name, baseline, weights, family, study.labels(arm)))
    return frame(judge(comparisons, Checks.of(study, measurements, outcomes, curves)))


def _control_family(cell: Cell) -> str:
    """A spot check compares other processes at other times: its A/A rows say nothing about the others."""
    kind = "exact " if cell.exact else "spot check " if cell.workload.belongs_to("spot_check") else ""
    return f"A/A {kind}{cell.environment}"


def _invalidate(rows: pd.DataFrame) -> pd.DataFrame:
    """Where the duplicate of the baseline differs from it, no row of that metric can be believed."""
    if rows.empty:
        return rows
    control = rows["factor"] == CONTROL_FACTOR
    failed = control & rows["verdict"].isin(["better", "worse", "invalid"])
    cell = rows[CELL_COLUMNS].fillna("").agg("\n".join, axis=1)
    hit = cell.isin(cell[failed])
    for rows_hit, why in ((hit & control, notes.CONTROL_FAILED), (hit & ~control, notes.CONTROL_HIT)):
        rows.loc[rows_hit, "note"] = why + "; " + rows.loc[rows_hit, "note"]
    rows.loc[hit, "verdict"] = "invalid"
    rows.loc[hit, "n_needed"] = pd.NA
    return rows

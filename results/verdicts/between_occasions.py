"""How much effects vary from one occasion to the next, and for what verdicts of time hold."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from results.records.resolved_study import ResolvedStudy
from results.verdicts import statistics as rules
from results.verdicts.cells import CELL_COLUMNS, Cell, cells
from results.verdicts.statistics import Floats

OCCASION_COLUMNS = [
    *(*CELL_COLUMNS, "label", "unit", "effect_kind", "arm", "role", "occasions", "blocks", "hours_apart"),
    *("lowest", "highest", "between_sd", "within_se", "f", "p_value", "p_adjusted", "verdict", "population"),
]
_FAMILY = ["environment", "workload", "reference"]
_NUMBERS = ["hours_apart", "lowest", "highest", "between_sd", "within_se", "f", "p_value"]


def between_occasions(study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per arm of a timed workload and headline metric, the baseline's own figures included.

    `lowest` and `highest` are the effects of single occasions, `hours_apart` is the shortest time between the
    starts of two. The analysis of variance is one-way, over blocks within occasions and on the scale of the
    analysis (the logarithm for ratios): `between_sd` is its variance component as a standard deviation,
    `within_se` the standard error of one occasion's mean, `f` and `p_value` the test that all occasions have
    the same mean, adjusted over the arms and modes of a workload (Bonferroni). `verdict` is `agree`,
    `disagree` or, with one occasion or no two blocks within any, `too few`. `population` is what verdicts of
    the cell hold for.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
    """
    timed = {w.name for w in study.workloads if w.block_unit == "process"}
    shown = {metric.name for metric in study.metrics if metric.headline}
    mine = series[series["workload"].isin(timed) & series["metric"].isin(shown)]
    rows = [
        row
        for cell in cells(study, mine, outcomes[outcomes["workload"].isin(timed)])
        if cell.metric is not None and not cell.exact
        for row in _rows(study, cell, _hours_apart(mine, cell))
    ]
    frame = pd.DataFrame(rows, columns=OCCASION_COLUMNS).astype(dict.fromkeys(_NUMBERS, float))
    return _judged(frame, study.baseline)


def population(cell: Cell) -> str:
    """What the verdicts of a cell hold for, in words."""
    many = len(set(cell.occasions.values()))
    if many == 1:
        return "this machine on this occasion"
    return f"this machine on these {many} occasions" if many < rules.MINIMUM_BLOCKS else "this machine"


def variance(groups: list[Floats]) -> dict[str, float]:
    """One-way analysis of variance: `between_sd`, `within_se`, `f` and `p_value`; none of too little.

    Args:
        groups: The blocks of each occasion, on the scale of the analysis.
    """
    sizes = np.array([len(group) for group in groups], dtype=float)
    n, k = sizes.sum(), len(groups)
    if k < 2 or n == k:
        return {}
    within = sum(float(np.sum((group - group.mean()) ** 2)) for group in groups) / (n - k)
    if within == 0:  # a clock too coarse to tell blocks apart; scipy would divide by zero
        return {}
    typical = (n - np.sum(sizes**2) / n) / (k - 1)
    found = stats.f_oneway(*groups)
    return {
        "between_sd": math.sqrt(max(0.0, (float(found.statistic) - 1) * within / typical)),
        "within_se": math.sqrt(within / typical),
        "f": float(found.statistic),
        "p_value": float(found.pvalue),
    }


def _rows(study: ResolvedStudy, cell: Cell, hours_apart: float) -> Iterator[dict[str, Any]]:
    assert cell.metric is not None
    for arm in (arm for arm in study.arms if arm.name in cell.workload.variants):
        reference = {} if arm.role == "baseline" else {study.baseline: -1.0}
        numbers = cell.block_contrast({arm.name: 1.0} | reference)
        groups = [group for _, group in numbers.groupby(numbers.index.map(cell.occasions))]
        means = [float(group.mean()) for group in groups]
        yield {
            **dict(zip(CELL_COLUMNS, (part or None for part in cell.place), strict=True)),
            "label": cell.metric.label,
            "unit": cell.metric.unit,
            "effect_kind": cell.metric.effect_kind,
            "arm": arm.name,
            "role": arm.role,
            "occasions": len(groups),
            "blocks": len(numbers),
            "hours_apart": hours_apart,
            "lowest": cell.unscaled(min(means, default=None)),
            "highest": cell.unscaled(max(means, default=None)),
            **variance([group.to_numpy(dtype=float) for group in groups]),
            "population": population(cell),
        }


def _hours_apart(series: pd.DataFrame, cell: Cell) -> float:
    """The shortest time between the starts of two occasions of the cell's workload; NaN of one."""
    here = series[(series["environment"] == cell.environment) & (series["workload"] == cell.workload.name)]
    starts = pd.to_datetime(here["started_at"], utc=True, errors="coerce").groupby(here["occasion"]).min()
    return float(starts.sort_values().diff().min() / pd.Timedelta(hours=1))


def _judged(rows: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """With p-values adjusted and verdicts; the baseline's own figures are a question of their own."""
    rows = rows.assign(p_adjusted=np.nan, reference=rows["arm"] == baseline)
    for _, group in rows.groupby(_FAMILY, sort=False):
        found = rules.adjust([None if pd.isna(p) else float(p) for p in group["p_value"]])
        rows.loc[group.index, "p_adjusted"] = [np.nan if p is None else p for p in found]
    differs = np.where(rows["p_adjusted"] < rules.ALPHA, "disagree", "agree")
    return rows.assign(verdict=np.where(rows["p_adjusted"].isna(), "too few", differs))[OCCASION_COLUMNS]

"""The four corners of each interaction of two factors: what a picture of it shows."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from results.records.resolved_study import ResolvedStudy
from results.verdicts.cells import CELL_COLUMNS
from results.verdicts.comparison import Comparison

CORNER_COLUMNS = [*CELL_COLUMNS, "arm", "factor", "first_level", "second_level", "value", "arms"]


def corners(study: ResolvedStudy, interactions: Iterable[Comparison]) -> pd.DataFrame:
    """One row per interaction of two factors and corner, of headline metrics.

    `factor` names both, the first one first; `value` is the mean, on the scale of the analysis, of the arms
    with that level of each, brought back to the metric's unit; `arms` says how many these are.
    """
    changes = {arm.name: arm.changes for arm in study.arms}
    rows = [
        row
        for one in interactions
        if one.cell.metric is not None and one.cell.metric.headline and "+" in one.labels["factor"]
        for row in _of(one, study, changes)
    ]
    return pd.DataFrame(rows, columns=CORNER_COLUMNS)


def _of(
    one: Comparison, study: ResolvedStudy, changes: dict[str, dict[str, str]]
) -> Iterator[dict[str, Any]]:
    names, levels = one.labels["factor"].split("+"), one.labels["level"].split("+")
    cell = one.cell
    groups: dict[tuple[str, ...], list[float]] = {}
    for arm in one.coefficients:
        level = tuple(changes[arm].get(name, study.first_level(name)) for name in names)
        groups.setdefault(level, []).append(cell.mean(cell.values(arm)))
    for first in (study.first_level(names[0]), levels[0]):
        for second in (study.first_level(names[1]), levels[1]):
            means = groups.get((first, second), [])
            yield dict(zip(CELL_COLUMNS, cell.place, strict=True)) | {
                "arm": one.arm,
                "factor": one.labels["factor"],
                "first_level": first,
                "second_level": second,
                "value": cell.unscaled(float(np.mean(means))) if means else None,
                "arms": len(means),
            }

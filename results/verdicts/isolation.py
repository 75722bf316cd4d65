"""Does an effect hold where each arm is alone in its process? The interleaved workload and its spot check.

Arms that take turns in one process share caches, the allocator's memory and threads. That makes ratios
precise; whether it also bends them is what a few processes of one arm each can tell.
"""

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from results.records.resolved_study import ResolvedStudy
from results.verdicts import statistics as rules
from results.verdicts.cells import CELL_COLUMNS, Cell, cells

FEWEST_PROCESSES = 3
"""With fewer on either side, Welch's test knows next to nothing about their spread."""
_NUMBERS = ["effect", "ci_low", "ci_high", "n"]
ISOLATION_COLUMNS = [
    *("environment", "workload", "spot_check", "metric", "mode", "split", "source", "device", "arm"),
    *(*_NUMBERS, *(f"isolated_{name}" for name in _NUMBERS), "p_value", "p_adjusted", "verdict"),
]
Row = dict[Hashable, Any]


def isolation(
    study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame, effects: pd.DataFrame
) -> pd.DataFrame:
    """One row per arm and mode of a workload with a spot check, for its headline metrics.

    The per-process log-ratios of the two are compared by Welch's test, adjusted over all arms and modes of
    the workload (Bonferroni). `verdict` is `agree`, `disagree` or, below three processes on either side,
    `too few`. Agreement is no proof: it says that this many processes show no difference.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `Run.outcomes` holds it.
        effects: Their effects; the ratios and intervals of both sides are taken from there.
    """
    kin = {w.name: of for w in study.workloads if (of := w.belongs_to("spot_check"))}
    names = {*kin, *kin.values()}
    rows: list[Row] = []
    if kin and not series.empty:
        told = {_place(row): row for row in effects.to_dict("records")}
        here = (frame[frame["workload"].isin(names)] for frame in (series, outcomes))
        found = {cell.place: cell for cell in cells(study, *here) if cell.metric and cell.metric.headline}
        for key, spot in found.items():
            whole = found.get((key[0], kin.get(key[1], ""), *key[2:]))
            if whole:
                rows += _compared(study, whole, spot, told)
    frame = pd.DataFrame(rows, columns=ISOLATION_COLUMNS).astype(dict.fromkeys(["p_value"], float))
    return _judged(frame)


def with_isolation(effects: pd.DataFrame, isolation: pd.DataFrame) -> pd.DataFrame:
    """Effects with what processes of one arm alone say of them: `agree`, `disagree`, `too few` or ""."""
    told = {_place(row): row["verdict"] for row in isolation.to_dict("records")}
    if not told:
        return effects
    return effects.assign(isolation=[told.get(_place(row), "") for row in effects.to_dict("records")])


def _place(row: Row) -> tuple[str, ...]:
    """Cell and arm of a row of either table."""
    return tuple("" if pd.isna(row[name]) else str(row[name]) for name in (*CELL_COLUMNS, "arm"))


def _compared(
    study: ResolvedStudy, whole: Cell, spot: Cell, told: dict[tuple[str, ...], Row]
) -> Iterator[Row]:
    """A row per arm of two cells that ask the same."""
    baseline = study.baseline
    shared = set(whole.workload.variants) & set(spot.workload.variants)
    for arm in (arm.name for arm in study.arms if arm.role == "arm" and arm.name in shared):
        row: Row = dict(zip(CELL_COLUMNS, (part or None for part in whole.place), strict=True))
        row |= {"arm": arm, "spot_check": spot.workload.name}
        for cell, side in ((whole, ""), (spot, "isolated_")):
            numbers = told[(*cell.place, arm)]
            row |= {f"{side}{name}": numbers[name] for name in _NUMBERS}
        alone, together = (
            cell.contrast({arm: 1.0, baseline: -1.0}).to_numpy(dtype=float) for cell in (spot, whole)
        )
        enough = min(len(alone), len(together)) >= FEWEST_PROCESSES
        row["p_value"] = rules.welch(alone, together).p if enough else None
        yield row


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """With p-values adjusted over each workload, and verdicts."""
    rows = rows.assign(p_adjusted=np.nan)
    for _, group in rows.groupby(["environment", "workload", "spot_check"], sort=False):
        found = [None if pd.isna(p) else float(p) for p in group["p_value"]]
        rows.loc[group.index, "p_adjusted"] = [np.nan if p is None else p for p in rules.adjust(found)]
    differs = np.where(rows["p_adjusted"] < rules.ALPHA, "disagree", "agree")
    return rows.assign(verdict=np.where(rows["p_adjusted"].isna(), "too few", differs))[ISOLATION_COLUMNS]

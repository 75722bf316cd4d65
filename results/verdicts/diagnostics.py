"""What a run's own timing says of its timing: places, neighbours, drift, and where spread comes from."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from results.records.record import number_of
from results.records.resolved_study import ResolvedStudy
from results.verdicts import statistics as rules
from results.verdicts.cells import CELL_COLUMNS, Cell, cells
from results.verdicts.components import components
from results.verdicts.occasions import OCCASION
from results.verdicts.order_effects import place_effect, succession
from results.verdicts.statistics import Estimate

BUILT, WARMED_UP, NEIGHBOURS, DRIFT = "built", "warmed_up", "neighbours", "drift"
SHARE = "between_process_share"
PLACES = (BUILT, WARMED_UP)
DIAGNOSTIC_COLUMNS = [
    *(*CELL_COLUMNS, "check", "arm", "estimate", "ci_low", "ci_high", "first_to_last", "p_value"),
    *("p_adjusted", "n", "matters", "between_process_sd", "between_round_sd", "rounds"),
]
NOTABLE_SHARE = 0.1
"""Share of the metric's margin below which a slowdown or a drift is not worth a word."""
_NUMBERS = [*DIAGNOSTIC_COLUMNS[9:14], *DIAGNOSTIC_COLUMNS[16:]]


def diagnostics(
    study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame, timed_arms: pd.DataFrame
) -> pd.DataFrame:
    """One row per environment, timed workload, mode, headline metric and `check`; none below six processes.

    `estimate` is, by check:

    - `built`, `warmed_up`: how much slower an arm reads when it is built or warmed up first in its process
      than when it is not, as a ratio less 1; `first_to_last` is how much slower the first of an even
      sequence reads than the last.
    - `neighbours`: correlation of the contrasts of a process with those of the next one.
    - `drift`: the clearest change of a contrast from the first process to the last, as a ratio less 1, and
      whose (`arm`).
    - `between_process_share`: share of the variance of a process's contrast that more rounds would not take
      away; `between_process_sd` and `between_round_sd` (of one round) are those of the logarithm.

    p-values are adjusted over all checks of an environment (Bonferroni), so that a run without any such
    effect has something that `matters` in 5 of 100 cases; a slowdown or a drift matters from a tenth of the
    metric's margin on, neighbours only where n counts processes.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
        timed_arms: As `results.frames.stretches.timed_arms` gives it.
    """
    timed = {w.name for w in study.workloads if w.block_unit == "process"}
    shown = {metric.name for metric in study.metrics if metric.headline and metric.effect_kind == "ratio"}
    mine = series[series["workload"].isin(timed) & series["metric"].isin(shown)]
    rows = []
    for cell in cells(study, mine, outcomes[outcomes["workload"].isin(timed)]):
        if cell.metric is not None and not cell.exact:
            place = dict(zip(CELL_COLUMNS, (part or None for part in cell.place), strict=True))
            found = [*_places(cell, timed_arms), *_in_time(study, cell, outcomes), *_shares(study, cell)]
            rows += [place | {"margin": cell.margin, "unit": cell.block_unit} | row for row in found]
    frame = pd.DataFrame(rows, columns=[*DIAGNOSTIC_COLUMNS, "margin", "unit"])
    return _judged(frame.astype(dict.fromkeys(_NUMBERS, float)))[DIAGNOSTIC_COLUMNS]


def _places(cell: Cell, timed_arms: pd.DataFrame) -> Iterator[dict[str, Any]]:
    assert cell.metric is not None
    of_cell = (timed_arms["environment"] == cell.environment) & (timed_arms["workload"] == cell.workload.name)
    mine = timed_arms[of_cell & (timed_arms["mode"].fillna("") == (cell.mode or ""))]
    scaled = cell.scaled(cell.wide)
    times = scaled.sub(scaled.mean(axis=1), axis=0).groupby(level="block").median()
    times = times if cell.metric.better == "lower" else -times
    for check in PLACES:
        wide = mine.pivot_table(index="block", columns="arm", values=check).reindex_like(times)
        places = wide.to_numpy(dtype=float)
        first = np.where(np.isnan(places), np.nan, places == 0)
        found = place_effect(times.to_numpy(dtype=float), first)
        if found is None or np.nanmax(places) == 0:
            continue
        slope = place_effect(times.to_numpy(dtype=float), 1 - places / np.nanmax(places))
        yield {
            "check": check,
            **_ratios(found),
            "first_to_last": math.nan if slope is None else math.expm1(slope.mean),
        }


def _ratios(found: Estimate) -> dict[str, float | None]:
    ends = {"estimate": found.mean, "ci_low": found.low_alone, "ci_high": found.high_alone}
    with np.errstate(over="ignore"):
        ratios = {name: None if end is None else float(np.expm1(end)) for name, end in ends.items()}
    return {**ratios, "p_value": found.p, "n": found.n}


def _in_time(study: ResolvedStudy, cell: Cell, outcomes: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Checks of the order in which processes ran."""
    blocks = _in_order(cell, outcomes)
    arms = [arm.name for arm in study.arms if arm.role != "baseline" and arm.name in cell.wide]
    contrasts = {arm: cell.block_contrast({arm: 1.0, study.baseline: -1.0}).reindex(blocks) for arm in arms}
    varying = {arm: values for arm, values in contrasts.items() if values.nunique() > 1}
    if not varying:
        return
    occasions = np.array([cell.occasions[block] for block in blocks], dtype=np.int64)
    wide = pd.concat(varying, axis=1)
    found = succession(wide.to_numpy(dtype=float), occasions)
    if found is None:
        return
    yield {
        "check": NEIGHBOURS,
        "estimate": found.correlation,
        "p_value": found.correlation_p,
        "n": found.n,
    }
    yield {
        "check": DRIFT,
        "arm": list(wide)[found.clearest],
        "estimate": math.expm1(found.drifts[found.clearest]),
        "p_value": found.drift_p,
        "n": found.n,
    }


def _in_order(cell: Cell, outcomes: pd.DataFrame) -> list[str]:
    """The cell's blocks by occasion, in the order in which they began."""
    of_cell = (outcomes["environment"] == cell.environment) & (outcomes["workload"] == cell.workload.name)
    began = outcomes[of_cell].groupby("block")["started_at"].min()
    blocks = [str(block) for block in cell.wide.index.unique("block")]
    return sorted(blocks, key=lambda block: (cell.occasions[block], str(began[block]), number_of(block)))


def _shares(study: ResolvedStudy, cell: Cell) -> Iterator[dict[str, Any]]:
    parts = components(cell, [arm.name for arm in study.arms if arm.role != "baseline"], study.baseline)
    n = cell.wide.index.unique("block").size
    if parts is not None and n >= rules.MINIMUM_BLOCKS:
        yield {
            "check": SHARE,
            "estimate": parts.process_share,
            "n": n,
            "between_process_sd": math.sqrt(parts.between_processes),
            "between_round_sd": math.sqrt(parts.between_rounds),
            "rounds": parts.rounds,
        }


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """With p-values adjusted over each environment, and what matters."""
    rows = rows.assign(p_adjusted=np.nan)
    for _, group in rows[rows["p_value"].notna()].groupby("environment", sort=False):
        rows.loc[group.index, "p_adjusted"] = rules.adjust([float(p) for p in group["p_value"]])
    is_large = np.log1p(rows["estimate"]).abs() >= NOTABLE_SHARE * rows["margin"].astype(float)
    counts = np.where(rows["check"] == NEIGHBOURS, rows["unit"] != OCCASION, is_large)
    return rows.assign(matters=(rows["p_adjusted"] < rules.ALPHA) & counts)

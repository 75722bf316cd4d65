"""Columns of the effects table, and what every row of it says about its context."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from results.verdicts.cells import Cell

CONTRACT_COLUMNS = [
    *("workload", "metric", "unit", "mode", "factor", "level", "baseline_level", "variant"),
    *("baseline_variant", "dataset", "split", "input_size", "batch_size", "precision", "device"),
    *("environment", "source", "baseline_value", "value", "effect", "effect_kind", "ci_low", "ci_high"),
    *("n", "block_unit", "p_value", "p_adjusted", "family", "margin", "n_needed", "verdict"),
]
"""Those of the report's contract, but for `note`, whose sentences the report makes from the facts below."""
EXTRA_COLUMNS = [
    *("arm", "kind", "label", "better", "headline", "ci_low_unadjusted", "ci_high_unadjusted", "sd"),
    *("correlation", "bootstrap_low", "bootstrap_high", "comparisons", "inert", "noise_floor"),
]
FACT_COLUMNS = [
    *("exact", "placebo", "identical", "detectable", "cause", "fault", "fault_detail"),
    *("lost", "baseline_lost", "censored", "baseline_censored", "isolation"),
    *("at_chance", "heap_low", "heap_high", "heap_low_n"),
    *("n_needed_low", "n_needed_high", "smallest_detectable", "beyond_margin"),
    *("control_differs", "baseline_n", "freedom", "aliases", "sets", "sets_planned"),
]
"""What is known of a row beyond its numbers.

`exact`: one trial decides. `placebo`: it must match the baseline bit for bit; `identical`: it gave the same
number in every block. `detectable`: equivalent, and yet the interval leaves out "no effect". `cause`: why
nothing is decided (see `Cause`). `fault`, `fault_detail`: why nothing can be believed (see `Fault`).
`lost`, `censored`: blocks of the arm that did not end well, or whose metric was censored; likewise for the
baseline. `isolation`: what processes of one arm alone say of an interleaved effect. `at_chance`: blocks in
which the arm guessed. `heap_low`, `heap_high`, `heap_low_n`: where its blocks fall into two heaps, the mean
of each and how many are in the lower one. `n_needed_low`, `n_needed_high`: how many blocks in all would make
the interval narrow enough to decide, from the spread alone (90 %). `smallest_detectable`: the smallest true
effect that the row would call different from none in 80 of 100 repeats, in the unit of the effect.
`beyond_margin`: better or worse, and the simultaneous interval lies wholly beyond the margin.
`control_differs`: the duplicate's own 95 % interval in the row's cell leaves out "no effect". `baseline_n`:
where arm and baseline are not paired, how many blocks the baseline has; `n` are the arm's. `freedom`:
degrees of freedom of `sd`, which the arms of what is timed have in common where they are alike. `aliases`:
effects that a fraction cannot tell this one from. `sets`: pairs or quadruples of arms that a main effect or
an interaction averages over (0 in a fraction, none of an arm); `sets_planned`: how many the design has.
"""
COLUMNS = [*CONTRACT_COLUMNS, *EXTRA_COLUMNS, *FACT_COLUMNS]

_INTEGERS = [
    *("n", "n_needed", "comparisons", "input_size", "batch_size", "at_chance", "heap_low_n"),
    *("lost", "baseline_lost", "censored", "baseline_censored"),
    *("n_needed_low", "n_needed_high", "baseline_n", "sets", "sets_planned"),
]
_NUMBERS = [
    *("baseline_value", "value", "effect", "ci_low", "ci_high", "p_value", "p_adjusted", "margin", "sd"),
    *("ci_low_unadjusted", "ci_high_unadjusted", "correlation", "bootstrap_low", "bootstrap_high"),
    *("noise_floor", "heap_low", "heap_high", "smallest_detectable", "freedom"),
]
_FLAGS = [
    *("headline", "inert", "exact", "placebo", "identical", "detectable"),
    *("beyond_margin", "control_differs"),
]
_CODES = ["cause", "fault", "fault_detail", "isolation", "aliases"]


def context(
    cell: Cell, arm: str, baseline: str, labels: Mapping[str, str], family: str, comparisons: int
) -> dict[str, Any]:
    """What a row says before anything is computed; without a metric where nothing was measured."""
    workload, metric = cell.workload, cell.metric
    return {
        "metric": metric.name if metric else "",
        "unit": metric.unit if metric else "",
        "label": metric.label if metric else "",
        "better": metric.better if metric else "",
        "effect_kind": metric.effect_kind if metric else "",
        "margin": metric.margin if metric else None,
        "headline": bool(metric and metric.headline) and workload.stands_in_headlines,
        **labels,
        "workload": workload.name,
        "kind": workload.kind,
        "environment": cell.environment,
        "mode": cell.mode,
        "split": cell.split,
        "source": cell.source,
        "device": cell.device,
        "arm": arm,
        "variant": workload.variants.get(arm, ""),
        "baseline_variant": workload.variants.get(baseline, ""),
        "dataset": workload.dataset,
        "input_size": workload.input_size,
        "batch_size": workload.batch_size,
        "precision": workload.precision,
        "block_unit": cell.block_unit,
        "family": family,
        "comparisons": comparisons,
    }


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with the columns of the contract first, numbers as numbers, flags as flags."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in _NUMBERS:
        table[name] = table[name].astype(float)
    for name in _INTEGERS:
        table[name] = table[name].astype("Int64")
    for name in _FLAGS:
        table[name] = table[name].astype("boolean").fillna(False).astype(bool)
    for name in _CODES:
        table[name] = table[name].astype(object).where(table[name].notna(), "")
    return table

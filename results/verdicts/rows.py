"""Columns of the effects table, and what every row of it says about its context."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from results.records.metric import Metric
from results.records.resolved_study import Workload

CONTRACT_COLUMNS = [
    *("workload", "metric", "unit", "mode", "factor", "level", "baseline_level", "variant"),
    *("baseline_variant", "dataset", "split", "input_size", "batch_size", "precision", "device"),
    *("environment", "source", "baseline_value", "value", "effect", "effect_kind", "ci_low", "ci_high"),
    *("n", "block_unit", "p_value", "p_adjusted", "family", "margin", "n_needed", "verdict", "note"),
]
EXTRA_COLUMNS = [
    *("arm", "kind", "label", "better", "headline", "ci_low_unadjusted", "ci_high_unadjusted", "sd"),
    *("correlation", "bootstrap_low", "bootstrap_high", "comparisons", "inert", "noise_floor"),
]
COLUMNS = [*CONTRACT_COLUMNS, *EXTRA_COLUMNS]

_INTEGERS = ["n", "n_needed", "comparisons", "input_size", "batch_size"]
_NUMBERS = [
    *("baseline_value", "value", "effect", "ci_low", "ci_high", "p_value", "p_adjusted", "margin", "sd"),
    *("ci_low_unadjusted", "ci_high_unadjusted", "correlation", "bootstrap_low", "bootstrap_high"),
    "noise_floor",
]


def context(
    workload: Workload,
    metric: Metric | None,
    *,
    environment: str,
    arm: str,
    baseline: str,
    labels: Mapping[str, str],
    family: str,
    comparisons: int,
) -> dict[str, Any]:
    """What a row says before anything is computed; without a metric where nothing was measured."""
    described = {
        "metric": metric.name if metric else "",
        "unit": metric.unit if metric else "",
        "label": metric.label if metric else "",
        "better": metric.better if metric else "",
        "effect_kind": metric.effect_kind if metric else "",
        "margin": metric.margin if metric else None,
        "headline": bool(metric and metric.headline) and workload.stands_in_headlines,
    }
    return {
        **described,
        **labels,
        "workload": workload.name,
        "kind": workload.kind,
        "environment": environment,
        "arm": arm,
        "variant": workload.variants[arm],
        "baseline_variant": workload.variants.get(baseline, ""),
        "dataset": workload.dataset,
        "input_size": workload.input_size,
        "batch_size": workload.batch_size,
        "precision": workload.precision,
        "block_unit": workload.block_unit,
        "family": family,
        "comparisons": comparisons,
    }


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with the columns of the contract first, numbers as numbers."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in _NUMBERS:
        table[name] = table[name].astype(float)
    for name in _INTEGERS:
        table[name] = table[name].astype("Int64")
    return table

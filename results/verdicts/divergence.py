"""Divergence, an outcome of its own: how often an arm diverged, never what it scored before it did."""

from typing import Any

import pandas as pd

from results.records.metric import Metric
from results.records.resolved_study import Arm, ResolvedStudy, Workload
from results.verdicts import statistics as rules
from results.verdicts.cells import Cell
from results.verdicts.rows import context

DIVERGED = Metric(
    name="diverged_fraction",
    label="runs that diverged",
    unit="fraction",
    better="lower",
    effect_kind="difference",
    margin=0.0,
    description="Share of the runs whose loss stopped being a finite number.",
)


def divergence_rows(study: ResolvedStudy, outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the effects table for each environment and workload in which anything diverged."""
    rows = []
    workloads = {workload.name: workload for workload in study.workloads}
    ended = outcomes[outcomes["status"].isin(["ok", "diverged"])]
    for environment in sorted(ended["environment"].unique()):
        for name, workload in workloads.items():
            here = ended[(ended["environment"] == environment) & (ended["workload"] == name)]
            if (here["status"] == "diverged").any():
                last = here.drop_duplicates(["block", "arm"], keep="last").set_index(["block", "arm"])
                wide = (last["status"] == "diverged").astype(float).unstack("arm")
                rows += _rows(study, workload, environment, wide)
    return rows


def _rows(
    study: ResolvedStudy, workload: Workload, environment: str, wide: pd.DataFrame
) -> list[dict[str, Any]]:
    cell = Cell(environment, workload, DIVERGED, "train", "train", "observed", None, wide, {})
    arms = [arm for arm in study.arms if arm.role != "baseline" and arm.name in workload.variants]
    size = max(1, sum(arm.role == "arm" for arm in arms))
    return [_row(study, cell, arm, 1 if arm.role == "control" else size) for arm in arms]


def _row(study: ResolvedStudy, cell: Cell, arm: Arm, comparisons: int) -> dict[str, Any]:
    baseline, wide = study.baseline, cell.wide
    known = {arm.name, baseline} <= set(wide.columns)
    pairs = wide[[arm.name, baseline]].dropna() if known else pd.DataFrame({arm.name: [], baseline: []})
    prefix = "A/A " if arm.role == "control" else ""
    family = f"{prefix}{cell.workload.name} {DIVERGED.name} {cell.environment}"
    return {
        **context(cell, arm.name, baseline, study.labels(arm), family, comparisons),
        **_numbers(pairs[arm.name], pairs[baseline], comparisons),
    }


def _numbers(arm: pd.Series, baseline: pd.Series, size: int) -> dict[str, Any]:
    n, k, k_baseline = len(arm), int(arm.sum()), int(baseline.sum())
    if n == 0:
        return {"n": 0, "verdict": "inconclusive", "cause": "unmeasured"}
    low, high = rules.proportion_difference_interval(k, k_baseline, n, size)
    p = rules.sign_test(int((arm > baseline).sum()), int((arm < baseline).sum()))
    adjusted = min(1.0, size * p)
    verdict = rules.decide(low, high, DIVERGED.margin, DIVERGED.better)
    agree = (verdict != "inconclusive") == (adjusted < rules.ALPHA)
    cause = "imprecise" if verdict == "inconclusive" else ""
    if n < rules.MINIMUM_BLOCKS:
        verdict, cause = "inconclusive", "too_few"
    if not agree:
        verdict, cause = "inconclusive", "tests_disagree"
    return {
        "baseline_value": k_baseline / n,
        "value": k / n,
        "effect": (k - k_baseline) / n,
        "ci_low": low,
        "ci_high": high,
        "n": n,
        "verdict": verdict,
        "cause": cause,
        "p_value": p if agree else None,
        "p_adjusted": adjusted if agree else None,
    }

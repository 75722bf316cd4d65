"""Divergence, an outcome of its own: how often an arm diverged, never what it scored before it did."""

from typing import Any

import pandas as pd

from results.records.metric import Metric
from results.records.resolved_study import Arm, ResolvedStudy, Workload
from results.tables import format as text
from results.verdicts import statistics as rules
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
    """Rows of the effects table for each workload in which anything diverged."""
    rows = []
    for environment in sorted(outcomes["environment"].unique()):
        for workload in study.workloads:
            here = outcomes[
                (outcomes["environment"] == environment) & (outcomes["workload"] == workload.name)
            ]
            if (here["status"] == "diverged").any():
                ended = here[here["status"].isin(["ok", "diverged"])]
                last = ended.drop_duplicates(["block", "arm"], keep="last").set_index(["block", "arm"])
                wide = (last["status"] == "diverged").astype(float).unstack("arm")
                arms = [a for a in study.arms if a.role != "baseline" and a.name in workload.variants]
                size = sum(arm.role == "arm" for arm in arms)
                rows += [
                    _row(study, workload, environment, arm, wide=wide, size=max(1, size)) for arm in arms
                ]
    return rows


def _row(
    study: ResolvedStudy, workload: Workload, environment: str, arm: Arm, *, wide: pd.DataFrame, size: int
) -> dict[str, Any]:
    baseline = study.baseline
    known = {arm.name, baseline} <= set(wide.columns)
    pairs = wide[[arm.name, baseline]].dropna() if known else pd.DataFrame({arm.name: [], baseline: []})
    control = arm.role == "control"
    comparisons = 1 if control else size
    family = f"{'A/A ' if control else ''}{workload.name} {DIVERGED.name} {environment}"
    return {
        **context(
            workload,
            DIVERGED,
            environment=environment,
            arm=arm.name,
            baseline=baseline,
            labels=study.labels(arm),
            family=family,
            comparisons=comparisons,
        ),
        "mode": "train",
        "split": "train",
        "source": "observed",
        "inert": False,
        **_numbers(pairs[arm.name], pairs[baseline], workload.block_unit, comparisons),
    }


def _numbers(arm: pd.Series, baseline: pd.Series, unit: str, size: int) -> dict[str, Any]:
    n, k, k_baseline = len(arm), int(arm.sum()), int(baseline.sum())
    if n == 0:
        return {"n": 0, "verdict": "inconclusive", "note": "no pair of runs ended"}
    low, high = rules.proportion_difference_interval(k, k_baseline, n, size)
    p = rules.sign_test(int((arm > baseline).sum()), int((arm < baseline).sum()))
    adjusted = min(1.0, size * p)
    share, share_baseline = (_share(number, n, unit) for number in (k, k_baseline))
    said = [f"diverged in {share}; the baseline in {share_baseline}"]
    verdict = rules.decide(low, high, DIVERGED.margin, DIVERGED.better)
    agree = (verdict != "inconclusive") == (adjusted < rules.ALPHA)
    if n < rules.MINIMUM_BLOCKS:
        verdict = "inconclusive"
        said.append(f"{text.count(n, unit)} of at least {rules.MINIMUM_BLOCKS}")
    if not agree:
        verdict = "inconclusive"
        said.append(
            f"interval and exact test on discordant pairs (adjusted p = {text.p_value(adjusted)}) "
            "disagree, so nothing is decided"
        )
    return {
        "baseline_value": k_baseline / n,
        "value": k / n,
        "effect": (k - k_baseline) / n,
        "ci_low": low,
        "ci_high": high,
        "n": n,
        "verdict": verdict,
        "note": "; ".join(said),
        "p_value": p if agree else None,
        "p_adjusted": adjusted if agree else None,
    }


def _share(k: int, n: int, unit: str) -> str:
    low, high = rules.proportion_interval(k, n)
    return f"{k} of {text.count(n, unit)} (exact interval {100 * low:.0f} to {100 * high:.0f} %)"

"""How often trainings fail: by diverging, at chance level, or in a heap of seeds that learnt little.

They are outcomes of their own, never averaged in: a training that diverged has no score, and the mean of two
heaps stands for neither.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from statsmodels.stats.proportion import confint_proportions_2indep

from results.records.metric import Metric
from results.records.resolved_study import Arm, ResolvedStudy, Workload
from results.verdicts import heaps
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
FAILED = Metric(
    name="failed_fraction",
    label="seeds that failed to learn",
    unit="fraction",
    better="lower",
    effect_kind="difference",
    margin=0.0,
    description="Share of seeds that diverged, were right no more often than guessing is, or, where an arm's "
    "seeds fall into two heaps of test accuracy (of pixels: mean IoU), are below the middle.",
    headline=True,
)
PROPORTIONS = frozenset({DIVERGED.name, FAILED.name})
POWER = 0.8
_MOST_TABLES = 4000
"""Beyond so many pairs of counts their tests take seconds."""


def divergence_rows(study: ResolvedStudy, outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the effects table for each environment and workload in which anything diverged.

    Each arm's runs are set against the baseline's by Fisher's exact test, corrected over the workload's arms;
    the A/A rows of an environment are a family of their own.
    """
    ended = outcomes[outcomes["status"].isin(["ok", "diverged"])]
    cells = [
        Cell(environment, workload, DIVERGED, "train", "train", "observed", None, wide, {})
        for environment in sorted(ended["environment"].unique())
        for workload, wide in _tables(study, ended[ended["environment"] == environment])
    ]
    return proportion_rows(study, cells)


def _tables(study: ResolvedStudy, ended: pd.DataFrame) -> Iterator[tuple[Workload, pd.DataFrame]]:
    """Of each workload in which anything diverged: 1 where a run did, by block and arm."""
    for workload in study.workloads:
        here = ended[ended["workload"] == workload.name]
        if (here["status"] == "diverged").any():
            last = here.drop_duplicates(["block", "arm"], keep="last").set_index(["block", "arm"])
            yield workload, (last["status"] == "diverged").astype(float).unstack("arm")


def failure_rows(study: ResolvedStudy, cells: Iterable[Cell], outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for each cell of test accuracy, or mean IoU, in which seeds diverged, guessed or lie in two heaps.

    Args:
        study: The study.
        cells: All of a run.
        outcomes: As `results.frames.samples.outcomes` gives it.
    """
    known = heaps.chances(outcomes)
    diverged = outcomes[outcomes["status"] == "diverged"]
    found = []
    for cell in cells:
        if cell.metric is None or cell.metric.name not in heaps.SCORES:
            continue
        here = (diverged["environment"] == cell.environment) & (diverged["workload"] == cell.workload.name)
        guessing = known.get((cell.environment, cell.workload.name), ())
        failed = _failed(cell, study.baseline, guessing if cell.metric.name == heaps.ACCURACY else ())
        for arm, block in diverged.loc[here, ["arm", "block"]].itertuples(index=False):
            failed.loc[block, arm] = 1.0
        if (failed == 1.0).any(axis=None):
            found.append(replace(cell, metric=FAILED, split="test", wide=failed))
    return proportion_rows(study, found)


def _failed(cell: Cell, baseline: str, known: tuple[float, ...]) -> pd.DataFrame:
    """1 where a training that ended well learnt nothing or little, else 0, by block and arm."""
    arms = list(cell.workload.variants)
    values = pd.DataFrame({arm: cell.values(arm) for arm in arms})
    told = [heaps.split(cell, arm, baseline) for arm in arms]
    bars = [(one.low + one.high) / 2 for one in told if one is not None]
    if known:
        bars.append(heaps.chance_level(known))
    return (values <= max(bars, default=-np.inf)).astype(float).where(values.notna())


def informative(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Rows but those that would only repeat that neither arm nor baseline failed."""
    return ~rows["metric"].isin(PROPORTIONS) | (rows["value"] + rows["baseline_value"] > 0)


def proportion_rows(study: ResolvedStudy, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """How often something became of each arm's runs, against the baseline's.

    Args:
        study: The study.
        cells: Of one metric; samples are 1 where it did and 0 where not, one row a block, a column an arm.
    """
    duplicates = {arm.name for arm in study.arms if arm.role == "control"}
    controls = Counter(cell.environment for cell in cells if duplicates & cell.workload.variants.keys())
    rows = []
    for cell in cells:
        arms = [arm for arm in study.arms if arm.role != "baseline" and arm.name in cell.workload.variants]
        size = max(1, sum(arm.role == "arm" for arm in arms))
        of_controls = controls[cell.environment]
        rows += [_row(study, cell, arm, of_controls if arm.role == "control" else size) for arm in arms]
    return rows


def _row(study: ResolvedStudy, cell: Cell, arm: Arm, comparisons: int) -> dict[str, Any]:
    assert cell.metric is not None
    family = f"{cell.workload.name} {cell.metric.name} {cell.environment}"
    if arm.role == "control":
        family = f"A/A {cell.metric.name} {cell.environment}"
    one, other = (cell.wide.get(name, pd.Series(dtype=float)).dropna() for name in (arm.name, study.baseline))
    return {
        **context(cell, arm.name, study.baseline, study.labels(arm), family, comparisons),
        **_numbers(one, other, comparisons * study.looks),
    }


def _numbers(arm: pd.Series, baseline: pd.Series, size: int) -> dict[str, Any]:
    """Two independent samples: a seed of the one arm is no pair of the same seed of the other.

    `size` is how many tests share the error: the comparisons, at every look.
    """
    counts = (int(arm.sum()), len(arm), int(baseline.sum()), len(baseline))
    k, n, k_baseline, n_baseline = counts
    if not (n and n_baseline):
        return {"n": 0, "baseline_n": n_baseline, "verdict": "inconclusive", "cause": "unmeasured"}
    p = fisher(*counts)
    adjusted = min(1.0, size * p)
    low, high = _as_the_test(newcombe(*counts, size), adjusted)
    low_alone, high_alone = _as_the_test(newcombe(*counts), p)
    verdict = rules.decide(low, high, 0.0, "lower")
    agree = (verdict != "inconclusive") == (adjusted < rules.ALPHA)
    cause = "imprecise" if verdict == "inconclusive" else ""
    if min(n, n_baseline) < rules.MINIMUM_BLOCKS:
        verdict, cause = "inconclusive", "too_few"
    if not agree:
        verdict, cause = "inconclusive", "tests_disagree"
    return {
        "baseline_value": k_baseline / n_baseline,
        "value": k / n,
        "effect": k / n - k_baseline / n_baseline,
        "ci_low": low,
        "ci_high": high,
        "ci_low_unadjusted": low_alone,
        "ci_high_unadjusted": high_alone,
        "n": n,
        "baseline_n": n_baseline,
        "verdict": verdict,
        "beyond_margin": verdict in {"better", "worse"},
        "smallest_detectable": smallest_detectable(n, k_baseline / n_baseline, n_baseline, size),
        "cause": cause,
        "p_value": p if agree else None,
        "p_adjusted": adjusted if agree else None,
    }


def _as_the_test(interval: tuple[float, float], p: float) -> tuple[float, float]:
    """An interval that reaches 0 where the exact test says so, which is the stricter one with few runs."""
    low, high = interval
    return (min(low, 0.0), max(high, 0.0)) if p >= rules.ALPHA else interval


def smallest_detectable(of_arm: int, share: float, of_baseline: int, comparisons: int = 1) -> float | None:
    """The smallest true difference that the exact test would find in 80 of 100 repeats; None where none is.

    Args:
        of_arm: Runs of the arm.
        share: The baseline's share of runs that diverge, taken for the true one.
        of_baseline: Runs of the baseline.
        comparisons: Number of contrasts that the test holds for at once.
    """
    if of_arm * of_baseline > _MOST_TABLES:
        return None
    counts, others = np.arange(of_arm + 1), np.arange(of_baseline + 1)
    found_by_count = _rejected(of_arm, of_baseline, comparisons) @ stats.binom.pmf(others, of_baseline, share)

    def lacking(of_the_arm: float) -> float:
        return POWER - float(stats.binom.pmf(counts, of_arm, of_the_arm) @ found_by_count)

    reached = [brentq(lacking, share, end) for end in (0.0, 1.0) if lacking(end) < 0]
    return min((abs(float(at) - share) for at in reached), default=None)


@lru_cache(maxsize=64)
def _rejected(of_arm: int, of_baseline: int, comparisons: int) -> NDArray[np.bool_]:
    """Whether the exact test tells the two apart, by how many diverged on either side."""
    pairs = product(range(of_arm + 1), range(of_baseline + 1))
    found = [comparisons * fisher(k, of_arm, b, of_baseline) < rules.ALPHA for k, b in pairs]
    return np.array(found).reshape(of_arm + 1, of_baseline + 1)


def fisher(arm: int, of_arm: int, baseline: int, of_baseline: int) -> float:
    """Exact two-sided p-value of "both diverge as often": so many of so many runs on either side."""
    table = np.array([[arm, of_arm - arm], [baseline, of_baseline - baseline]])
    return float(stats.fisher_exact(table).pvalue)


def newcombe(
    arm: int, of_arm: int, baseline: int, of_baseline: int, comparisons: int = 1
) -> tuple[float, float]:
    """Newcombe's interval of the difference of two independent proportions (arm - baseline)."""
    low, high = confint_proportions_2indep(
        arm,
        of_arm,
        baseline,
        of_baseline,
        method="newcomb",
        compare="diff",
        alpha=rules.ALPHA / comparisons,
    )
    return float(low), float(high)

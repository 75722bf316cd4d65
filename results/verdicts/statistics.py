"""The rules by which paired contrasts become intervals and verdicts.

All numbers here stand on the scale of the analysis: the logarithm for a ratio, the metric's unit for a
difference, so that "no effect" is 0 and a margin reaches equally far both ways. n counts blocks
(processes, seeds), never rounds or steps.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from results.records.metric import Better

Verdict = Literal["better", "worse", "equivalent", "inconclusive", "invalid"]
Floats = NDArray[np.float64]

ALPHA = 0.05
MINIMUM_BLOCKS = 6
BOOTSTRAP_FROM = 20
MOST_BLOCKS = 10_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean contrast with its intervals, on the scale of the analysis.

    Attributes:
        n: Blocks.
        mean: Mean contrast over blocks.
        sd: Standard deviation over blocks; None from fewer than two.
        low: Lower end of the simultaneous interval (Bonferroni over the family).
        high: Upper end of it.
        low_alone: Lower end of the 95 % interval of this contrast alone.
        high_alone: Upper end of it.
        p: Two-sided p-value of "no effect", not adjusted; None where nothing varies or n < 2.
    """

    n: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None
    low_alone: float | None
    high_alone: float | None
    p: float | None


def contrast_by_block(wide: pd.DataFrame, coefficients: Mapping[str, float]) -> pd.Series:
    """One number per block: the median over its rounds of a linear combination of arms.

    Arms are combined within each round, so whatever slows a round slows all of its arms. The median
    keeps one disturbed round from speaking for the process. `arm - baseline` is an effect,
    `ab - a - b + baseline` an interaction.

    Args:
        wide: One column per arm, one row per (block, pair, round); index level `block`.
        coefficients: Weight of each arm.

    Returns:
        Contrasts by block, blocks with an incomplete set of arms left out.
    """
    if not set(coefficients) <= set(wide.columns):
        return pd.Series(dtype=float)
    weights = np.fromiter(coefficients.values(), dtype=float)
    combined = wide[list(coefficients)].to_numpy(dtype=float) @ weights
    complete = ~np.isnan(combined)
    return pd.Series(combined[complete], wide.index[complete]).groupby(level="block").median()


def estimate(contrasts: Sequence[float] | Floats, comparisons: int = 1) -> Estimate:
    """T interval of the mean of paired contrasts, simultaneous over a family of `comparisons`."""
    values = np.asarray(contrasts, dtype=float)
    n, mean = len(values), float(np.mean(values)) if len(values) else math.nan
    if n < 2:
        return Estimate(n, mean, None, None, None, None, None, None)
    if np.ptp(values) == 0:  # every block says the same: scipy would divide by zero
        mean = float(values[0])
        return Estimate(n, mean, 0.0, mean, mean, mean, mean, 1.0 if mean == 0 else 0.0)
    test = stats.ttest_1samp(values, 0.0)
    family = test.confidence_interval(1 - ALPHA / comparisons)
    alone = test.confidence_interval(1 - ALPHA)
    return Estimate(
        n,
        mean,
        float(np.std(values, ddof=1)),
        float(family.low),
        float(family.high),
        float(alone.low),
        float(alone.high),
        float(test.pvalue),
    )


def welch(later: Floats, first: Floats, comparisons: int = 1) -> Estimate:
    """Difference of the means of two independent samples (later - first), by Welch's t test.

    Args:
        later: One value per block of the one side, on the scale of the analysis.
        first: The same of the other side; nothing is paired.
        comparisons: Number of contrasts that the interval holds for at once.

    Returns:
        n is that of the smaller side, sd that of a difference of two single blocks. Without an interval
        where a side has fewer than two values.
    """
    n, mean = min(len(later), len(first)), float(np.mean(later) - np.mean(first))
    if n < 2:
        return Estimate(n, mean, None, None, None, None, None, None)
    sd = math.hypot(float(np.std(later, ddof=1)), float(np.std(first, ddof=1)))
    if sd == 0:  # scipy would divide by zero
        return Estimate(n, mean, 0.0, mean, mean, mean, mean, 1.0 if mean == 0 else 0.0)
    test = stats.ttest_ind(later, first, equal_var=False)
    family = test.confidence_interval(1 - ALPHA / comparisons)
    alone = test.confidence_interval(1 - ALPHA)
    return Estimate(
        n,
        mean,
        sd,
        float(family.low),
        float(family.high),
        float(alone.low),
        float(alone.high),
        float(test.pvalue),
    )


def exact_estimate(value: float) -> Estimate:
    """A deterministic contrast: one trial decides and the interval is the value."""
    return Estimate(1, value, None, value, value, value, value, None)


def decide(low: float, high: float, margin: float, better: Better) -> Verdict:
    """The verdict of an interval: margin first, then direction, else nothing is decided."""
    if -margin <= low and high <= margin:
        return "equivalent"
    if low > 0 or high < 0:
        return "better" if (high < 0) == (better == "lower") else "worse"
    return "inconclusive"


def blocks_needed(mean: float, sd: float, margin: float, comparisons: int = 1) -> int | None:
    """Smallest n at which `decide` would decide, were mean and standard deviation to stay as observed.

    An interval of half-width h decides when it fits within the margin (|mean| + h <= margin) or leaves
    out zero (h < |mean|); h falls with n. None beyond 10,000.
    """
    n, half_widths = _half_widths(comparisons)
    half_widths = half_widths * sd
    decided = (abs(mean) + half_widths <= margin) | (half_widths < abs(mean))
    return int(n[np.argmax(decided)]) if decided.any() else None


@lru_cache(maxsize=64)
def _half_widths(comparisons: int) -> tuple[NDArray[np.int64], Floats]:
    n = np.arange(MINIMUM_BLOCKS, MOST_BLOCKS + 1)
    return n, np.asarray(stats.t.ppf(1 - ALPHA / (2 * comparisons), n - 1) / np.sqrt(n), dtype=float)


def adjust(p_values: Sequence[float | None]) -> list[float | None]:
    """Bonferroni over a whole family; a contrast that could not be tested counts as p = 1."""
    if not p_values:
        return []
    filled = [1.0 if p is None else p for p in p_values]
    adjusted = multipletests(filled, alpha=ALPHA, method="bonferroni")[1]
    return [None if p is None else float(a) for p, a in zip(p_values, adjusted, strict=True)]


def correlation(arm: Floats, baseline: Floats) -> float | None:
    """Pearson correlation of paired values: what pairing bought. None where either does not vary."""
    if len(arm) < 3 or np.ptp(arm) == 0 or np.ptp(baseline) == 0:
        return None
    return float(np.corrcoef(arm, baseline)[0, 1])


def bootstrap_interval(contrasts: Floats, comparisons: int = 1) -> tuple[float, float] | None:
    """BCa bootstrap interval of the mean, from 20 blocks on; None below or where nothing varies."""
    if len(contrasts) < BOOTSTRAP_FROM or np.ptp(contrasts) == 0:
        return None
    found = stats.bootstrap(
        (contrasts,), np.mean, confidence_level=1 - ALPHA / comparisons, method="BCa", rng=0
    ).confidence_interval
    return float(found.low), float(found.high)


def proportion_interval(successes: int, n: int) -> tuple[float, float]:
    """Clopper-Pearson 95 % interval of a proportion."""
    interval = stats.binomtest(successes, n).proportion_ci(1 - ALPHA, method="exact")
    return float(interval.low), float(interval.high)


def sign_test(positive: int, negative: int) -> float:
    """Exact two-sided p-value of discordant pairs under "either way is as likely"; 1 without any."""
    total = positive + negative
    return float(stats.binomtest(positive, total).pvalue) if total else 1.0


def proportion_difference_interval(
    arm: int, baseline: int, n: int, comparisons: int = 1
) -> tuple[float, float]:
    """Newcombe interval of the difference of two proportions out of n each (arm - baseline)."""
    low, high = confint_proportions_2indep(
        arm, n, baseline, n, method="newcomb", compare="diff", alpha=ALPHA / comparisons
    )
    return float(low), float(high)


def pooled_sd(sds: Sequence[float], ns: Sequence[int]) -> tuple[float, int]:
    """Pooled standard deviation and its degrees of freedom."""
    freedom = np.asarray(ns) - 1
    variance = float(np.sum(freedom * np.square(sds)) / np.sum(freedom))
    return math.sqrt(variance), int(np.sum(freedom))

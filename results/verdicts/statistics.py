"""The rules by which paired contrasts become intervals and verdicts.

All numbers here stand on the scale of the analysis: the logarithm for a ratio, the metric's unit for a
difference, so that "no effect" is 0 and a margin reaches equally far both ways. n counts blocks
(processes, seeds), never rounds or steps.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from results.records.metric import Better
from results.verdicts.simultaneous import adjusted, critical_value
from results.verdicts.spread import Spread

Verdict = Literal["better", "worse", "equivalent", "inconclusive", "invalid"]
Floats = NDArray[np.float64]

ALPHA = 0.05
ROUNDING = 1e-13
MINIMUM_BLOCKS = 6
BOOTSTRAP_FROM = 20
POWER = 0.8
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
        p_adjusted: The same for the family: below 0.05 just where `low` to `high` leaves out "no effect".
        freedom: Degrees of freedom of the standard deviation; None without one.
        reach: How many standard errors `low` and `high` lie from the mean; None without an interval.
        error: Standard error of the mean; None without one.
        n_baseline: Blocks of the baseline, where arm and baseline are samples of their own.
    """

    n: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None
    low_alone: float | None
    high_alone: float | None
    p: float | None
    p_adjusted: float | None = None
    freedom: float | None = None
    reach: float | None = None
    error: float | None = None
    n_baseline: int | None = None

    @property
    def fewest(self) -> int:
        """Blocks on the side that has fewer."""
        return self.n if self.n_baseline is None else min(self.n, self.n_baseline)


@dataclass(frozen=True, slots=True)
class ErrorShare:
    """What shares the 5 % of error.

    Attributes:
        comparisons: Number of contrasts that an interval holds for at once.
        correlation: Of their t statistics, where they share their spread (Dunnett's interval); None where
            nothing is known of it (Bonferroni's).
        looks: How often the family is looked at while blocks are added; each look has an equal share of
            the error, so that all of them together hold at 5 % (Bonferroni).
    """

    comparisons: int = 1
    correlation: float | None = None
    looks: int = 1

    def reach(self, freedom: float) -> float:
        """How many standard errors the simultaneous interval reaches to either side."""
        if self.correlation is None:
            return float(stats.t.isf(ALPHA / (2 * self.comparisons * self.looks), freedom))
        return critical_value(ALPHA / self.looks, self.comparisons, freedom, self.correlation)

    def adjusted(self, p: float, freedom: float) -> float:
        """A p-value of one contrast for all: below 0.05 just where that interval leaves out zero."""
        if self.correlation is None:
            return min(1.0, self.comparisons * self.looks * p)
        return min(1.0, self.looks * adjusted(p, self.comparisons, freedom, self.correlation))


ALONE = ErrorShare()


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
    values = wide[list(coefficients)].to_numpy(dtype=float)
    combined = values @ weights
    if len(weights) > 2:  # what cancels in a sum of many terms leaves a few units in the last place
        combined[np.abs(combined) < ROUNDING * np.abs(values).max(axis=1, initial=0.0)] = 0.0
    complete = ~np.isnan(combined)
    return pd.Series(combined[complete], wide.index[complete]).groupby(level="block").median()


def estimate(contrasts: Sequence[float] | Floats, comparisons: int = 1, looks: int = 1) -> Estimate:
    """T interval of the mean of paired contrasts, simultaneous over a family (Bonferroni)."""
    values = np.asarray(contrasts, dtype=float)
    return interval(values, own_spread(values), ErrorShare(comparisons, looks=looks))


def own_spread(contrasts: Floats) -> Spread | None:
    """Variance of contrasts and its degrees of freedom; None from fewer than two."""
    n = len(contrasts)
    if n < 2:
        return None
    return Spread(0.0 if np.ptp(contrasts) == 0 else float(np.var(contrasts, ddof=1)), n - 1)


def interval(contrasts: Floats, spread: Spread | None, share: ErrorShare = ALONE) -> Estimate:
    """T interval of the mean of contrasts whose spread is known from these, or from others too.

    Args:
        contrasts: One per block, on the scale of the analysis.
        spread: Variance of one block's contrast; None for no interval.
        share: Of the error; all of it unless told otherwise.
    """
    n, mean = len(contrasts), float(np.mean(contrasts)) if len(contrasts) else math.nan
    if spread is None or n < 2:
        return Estimate(n, mean, None, None, None, None, None, None)
    if spread.variance == 0:  # every block says the same
        mean, p = float(contrasts[0]), 1.0 if mean == 0 else 0.0
        return Estimate(n, mean, 0.0, mean, mean, mean, mean, p, p, spread.freedom, 0.0, 0.0)
    sd, freedom = math.sqrt(spread.variance), spread.freedom
    error = sd / math.sqrt(n)
    alone = error * float(stats.t.isf(ALPHA / 2, freedom))
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    reach = share.reach(freedom)
    half = reach * error
    ends = (mean - half, mean + half, mean - alone, mean + alone)
    return Estimate(n, mean, sd, *ends, p, share.adjusted(p, freedom), freedom, reach, error)


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


@dataclass(frozen=True, slots=True)
class Needed:
    """How many blocks in all make an interval narrow enough that it decides, whatever the effect is.

    Attributes:
        likely: Were the spread as estimated.
        low: Were it at the lower end of its 90 % interval.
        high: Were it at the upper end of it.
    """

    likely: int
    low: int
    high: int


def blocks_needed(found: Estimate, margin: float) -> Needed | None:
    """Blocks until the interval's half-width is half the margin, from the spread alone.

    An interval that narrow lies within the margin or leaves out zero, wherever its middle is. Nothing here
    looks at the effect: what stops where significance is near finds differences that are none. None
    beyond 10,000 blocks, or without a margin or a spread.
    """
    if not (found.error and found.freedom and found.reach and margin > 0):
        return None
    ends = [found.freedom / float(stats.chi2.isf(tail, found.freedom)) for tail in (0.05, 0.95)]
    variances = found.n * found.error**2 * np.array([1.0, *ends])
    numbers = np.ceil((found.reach / (margin / 2)) ** 2 * variances)
    if numbers.max() > MOST_BLOCKS:
        return None
    likely, low, high = (max(MINIMUM_BLOCKS, int(number)) for number in numbers)
    return Needed(likely, low, high)


def smallest_detectable(found: Estimate) -> float | None:
    """The true effect that the simultaneous interval leaves zero out for in 80 of 100 repeats.

    Its reach and the t quantile of 80 % added, times the standard error; see Cohen, "Statistical Power
    Analysis" (1988).
    """
    if found.error is None or found.freedom is None or found.reach is None:
        return None
    quantile = float(stats.t.ppf(POWER, found.freedom))
    return (found.reach + quantile) * found.error


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

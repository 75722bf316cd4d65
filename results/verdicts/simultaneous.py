"""Intervals that hold for a whole family at once, where all its arms are set against one baseline.

C. W. Dunnett, "A multiple comparison procedure for comparing several treatments with a control", JASA 50
(1955): the largest of k equally correlated t statistics that share one estimate of the variance.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

Floats = NDArray[np.float64]

MOST_CORRELATION = 0.5
"""Of two contrasts that share a baseline which varies as they do."""
_CORRELATION_STEP = 0.1
_MOST_FREEDOM = 1_000.0
"""From here on the t distribution is taken for the normal one."""


def _nodes() -> tuple[Floats, Floats, Floats, Floats]:
    """Points and weights: of a standard normal variable, and of a uniform one."""
    normal, normal_weights = np.polynomial.hermite_e.hermegauss(48)
    uniform, uniform_weights = np.polynomial.legendre.leggauss(96)
    return normal, normal_weights / normal_weights.sum(), (uniform + 1) / 2, uniform_weights / 2


_NORMAL, _NORMAL_WEIGHTS, _UNIFORM, _UNIFORM_WEIGHTS = _nodes()


def probability_within(reach: float, comparisons: int, freedom: float, correlation: float) -> float:
    """Probability that none of the t statistics of a family is farther than `reach` from zero.

    Args:
        reach: On the scale of t, at least 0.
        comparisons: How many statistics.
        freedom: Degrees of freedom of the variance they share.
        correlation: Of any two of them, in [0, 1): 1/2 where all arms vary as the baseline does.
    """
    if comparisons == 1:
        return float(1 - 2 * stats.t.sf(reach, freedom))
    scale, weights = _scale(freedom)
    wide = 1 / math.sqrt(1 - correlation)
    shift = math.sqrt(correlation / (1 - correlation)) * _NORMAL
    ends = wide * reach * scale[:, None]
    inner = special.ndtr(ends + shift) - special.ndtr(shift - ends)
    return float(weights @ inner**comparisons @ _NORMAL_WEIGHTS)


@lru_cache(maxsize=512)
def _scale(freedom: float) -> tuple[Floats, Floats]:
    """The estimate of the standard deviation, as a multiple of the true one: values and weights."""
    if freedom >= _MOST_FREEDOM:
        return np.ones(1), np.ones(1)
    return np.sqrt(stats.chi2.ppf(_UNIFORM, freedom) / freedom), _UNIFORM_WEIGHTS


@lru_cache(maxsize=4096)
def critical_value(alpha: float, comparisons: int, freedom: float, correlation: float) -> float:
    """What t statistics of a family stay within, all of them, in 1 - alpha of all cases without an effect."""
    bonferroni = float(stats.t.isf(alpha / (2 * comparisons), freedom))
    alone = float(stats.t.isf(alpha / 2, freedom))
    if comparisons == 1:
        return alone

    def excess(reach: float) -> float:
        return probability_within(reach, comparisons, freedom, correlation) - (1 - alpha)

    if excess(bonferroni) <= 0:  # what the quadrature loses in far tails; Bonferroni holds whatever is true
        return bonferroni
    return float(optimize.brentq(excess, 0.99 * alone, bonferroni, xtol=1e-6))


def adjusted(p: float, comparisons: int, freedom: float, correlation: float) -> float:
    """A p-value for the whole family: below alpha just where the interval at alpha leaves out zero.

    Args:
        p: Two-sided p-value of the comparison alone, with as many degrees of freedom.
        comparisons: Size of the family.
        freedom: Degrees of freedom.
        correlation: As for `probability_within`.
    """
    if comparisons == 1 or p >= 1:
        return min(1.0, p)
    statistic = float(stats.t.isf(p / 2, freedom))
    beyond = 1 - probability_within(statistic, comparisons, freedom, correlation)
    return float(min(1.0, comparisons * p, max(p, beyond)))


def usable_correlation(mean: float) -> float:
    """A mean correlation as quantiles are looked up by it: from 0 to 1/2, downwards to 0.1."""
    return float(np.floor(min(MOST_CORRELATION, max(0.0, mean)) / _CORRELATION_STEP) * _CORRELATION_STEP)

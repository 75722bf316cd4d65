"""What the arms of a family tell about each other's spread.

The variance of one arm's contrast from a dozen processes is a poor estimate; those of all arms of a family
are often much alike. G. K. Smyth, "Linear models and empirical Bayes methods" (2004): each variance is drawn
towards the common one, the more the less they differ beyond chance, and gains degrees of freedom for it.
An arm whose spread stands out is left to itself, so that it neither widens the others' intervals nor
narrows its own (after B. Phipson et al., "Robust hyperparameter estimation", 2016).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

Floats = NDArray[np.float64]

FEWEST_SHARING = 4
"""Fewer variances say next to nothing about how much variances differ."""
STANDS_OUT = 0.05
"""Level of the F test, corrected for as many arms, at which one is left to itself."""
SHARED_BASELINE = 0.45
"""Correlation of two arms' variances: 1/4 comes from the baseline which both are set against; the rest is
room for tails heavier than the normal's, so that the family-wise error holds with t of three degrees."""
HEAVY_TAILS = 0.2
"""The same room, for arms that are samples of their own."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A variance and what it rests on.

    Attributes:
        variance: Of one block's contrast, on the scale of the analysis.
        freedom: Its degrees of freedom.
        shared: Whether others had a say in it.
    """

    variance: float
    freedom: float
    shared: bool = False


def moderated(own: Sequence[Spread], correlation: float = SHARED_BASELINE) -> list[Spread]:
    """The spreads of a family, each drawn towards what they have in common.

    Args:
        own: Each from its own blocks. Those without a variance, or with one of zero, stay as they are.
        correlation: Of any two variances: contrasts with one baseline vary together.
    """
    usable = [i for i, spread in enumerate(own) if spread.variance > 0 and spread.freedom >= 1]
    together = _alike(own, usable)
    if len(together) < FEWEST_SHARING:
        return list(own)
    variances = np.array([own[i].variance for i in together])
    freedoms = np.array([own[i].freedom for i in together])
    prior_freedom, prior = _prior(variances, freedoms)
    # Variances that share a baseline tell less than as many independent ones would.
    most = float(freedoms.sum() / (1 + (len(together) - 1) * correlation))
    found = list(own)
    for i, variance, freedom in zip(together, variances, freedoms, strict=True):
        if math.isinf(prior_freedom):
            drawn = float(variances @ freedoms / freedoms.sum())
        else:
            drawn = float((prior_freedom * prior + freedom * variance) / (prior_freedom + freedom))
        gained = max(float(freedom), min(most, float(freedom) + prior_freedom))
        found[i] = Spread(drawn, _rounded(gained), shared=True)
    return found


def _rounded(freedom: float) -> float:
    """Downwards to a tenth, or to a whole number from 30 on: quantiles are looked up by it."""
    return math.floor(freedom * 10) / 10 if freedom < 30 else float(math.floor(freedom))


def _alike(own: Sequence[Spread], usable: Sequence[int]) -> list[int]:
    """Those that are left when, one after the other, the one that stands out most is set aside."""
    left = list(usable)
    while len(left) >= FEWEST_SHARING:
        squares = np.array([own[i].variance * own[i].freedom for i in left])
        freedoms = np.array([own[i].freedom for i in left])
        others = (squares.sum() - squares) / (freedoms.sum() - freedoms)
        ratio, rest = squares / freedoms / others, freedoms.sum() - freedoms
        p = np.asarray(stats.f.sf(ratio, freedoms, rest), dtype=float) * len(left)
        most = int(np.argmin(p))
        if p[most] >= STANDS_OUT:
            return left
        del left[most]
    return left


def _prior(variances: Floats, freedoms: Floats) -> tuple[float, float]:
    """Degrees of freedom and value of the common variance (Smyth, section 6.2).

    Infinitely many where the variances differ no more than chance explains.
    """
    half = freedoms / 2
    logs = np.log(variances) - special.digamma(half) + np.log(half)
    beyond = float(logs.var(ddof=1) - special.polygamma(1, half).mean())
    if beyond <= 0:
        return math.inf, float(np.exp(logs.mean()))
    prior_half = _trigamma_inverse(beyond)
    value = math.exp(float(logs.mean()) + float(special.digamma(prior_half)) - math.log(prior_half))
    return 2 * prior_half, value


def _trigamma_inverse(value: float) -> float:
    """The x at which trigamma, which falls from infinity to 0, is `value`; 1/value where that is small."""
    if value < 1e-6:
        return 1 / value
    return float(optimize.brentq(lambda x: float(special.polygamma(1, x)) - value, 1e-6, 2 / value + 2))

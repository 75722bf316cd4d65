"""Arms as samples of their own: what a seed is to one arm says nothing of another arm at the same seed.

Welch's analysis of the means, as many contrasts at once as the study asks for: each arm has its variance,
drawn towards what the arms have in common (`spread`), each contrast the degrees of freedom that follow from
it (F. E. Satterthwaite, "An approximate distribution of estimates of variance components", 1946), and all of
them the reach of Dunnett's method, by the correlation that a shared baseline of so many blocks makes.

Shares have bounds: the interval of each mean is that of its logit, which knows them, and two of them make
that of the difference (MOVER; G. Y. Zou and A. Donner, "Construction of confidence limits about effect
measures", 2008): it reaches no farther than the two means could.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import optimize, stats

from results.verdicts import events
from results.verdicts import statistics as rules
from results.verdicts.cells import Cell
from results.verdicts.comparison import Comparison
from results.verdicts.mean import Mean
from results.verdicts.simultaneous import usable_correlation
from results.verdicts.spread import HEAVY_TAILS, Spread, moderated
from results.verdicts.statistics import ErrorShare, Estimate, Floats

_NEAR_BOUND = 0.1
"""Of a share: arms that miss more say nothing of the spread of one that misses nothing."""


def estimates(comparisons: Sequence[Comparison], sizes: Mapping[str, int], looks: int) -> list[Estimate]:
    """An estimate for each comparison of one cell, whose arms tell each other how much seeds scatter.

    Args:
        comparisons: Of one cell.
        sizes: Number of comparisons by family, in this cell or beyond.
        looks: How many the study declared.
    """
    cell = comparisons[0].cell
    means = events.means(cell.events) if cell.events else _means(comparisons)
    families: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for comparison in comparisons:
        families[comparison.family].append(comparison.coefficients)
    shares = {}
    for name, family in families.items():  # once a family: of thousands of arms it takes a second
        within = correlation(family, means) if sizes[name] == len(family) else None
        shares[name] = ErrorShare(sizes[name], within, looks)
    return [estimate(one.coefficients, means, shares[one.family]) for one in comparisons]


def _means(comparisons: Sequence[Comparison]) -> dict[str, Mean]:
    """Every arm that any of the comparisons needs."""
    cell = comparisons[0].cell
    metric = cell.metric
    is_share = metric is not None and metric.unit == "fraction" and metric.effect_kind == "difference"
    arms = list(dict.fromkeys(arm for one in comparisons for arm in one.coefficients))
    return means({arm: numbers(cell, arm) for arm in arms}, is_share=is_share)


def numbers(cell: Cell, arm: str) -> Floats:
    """An arm's numbers on the scale of the analysis, those left out that have no place on it."""
    values = cell.on_scale(cell.values(arm).to_numpy(dtype=float))
    return values[~np.isnan(values)]


def means(values: Mapping[str, Floats], *, is_share: bool = False) -> dict[str, Mean]:
    """The mean of each arm, its variance drawn towards that of the others.

    Args:
        values: By arm, one number per block on the scale of the analysis.
        is_share: Whether these lie between 0 and 1.
    """
    own = {arm: rules.own_spread(those) for arm, those in values.items()}
    known = {arm: spread for arm, spread in own.items() if spread is not None}
    drawn = dict(zip(known, moderated(list(known.values()), HEAVY_TAILS), strict=True))
    if is_share:
        drawn |= {arm: spread for arm in known if (spread := _at_bound(arm, values, drawn)) is not None}
    return {
        arm: Mean(
            float(np.mean(numbers)) if len(numbers) else math.nan, len(numbers), drawn.get(arm), is_share
        )
        for arm, numbers in values.items()
    }


def _at_bound(arm: str, values: Mapping[str, Floats], spreads: Mapping[str, Spread]) -> Spread | None:
    """The spread of an arm all of whose seeds reach 0 or 1: the lower median of those near that bound.

    That no seed missed an image says that few are missed, not that none ever is. None for any other arm, or
    where none near it varies: what misses many says nothing of what misses none.
    """
    own = values[arm]
    if own[0] not in (0.0, 1.0) or np.ptp(own) > 0:
        return None
    near = sorted(
        spread.variance
        for other, spread in spreads.items()
        if spread.variance > 0 and abs(np.mean(values[other]) - own[0]) <= _NEAR_BOUND
    )
    return Spread(near[(len(near) - 1) // 2], len(own) - 1.0, shared=True) if near else None


def correlation(family: Sequence[Mapping[str, float]], means: Mapping[str, Mean]) -> float:
    """Mean correlation of a family's estimates, as the arms they share make it; see `usable_correlation`.

    Args:
        family: Weight of each arm, by comparison.
        means: By arm.
    """
    variances = np.array([mean.variance for mean in means.values()])
    places = {arm: place for place, arm in enumerate(means)}
    weights = np.zeros((len(family), len(means)))
    for row, coefficients in zip(weights, family, strict=True):
        for arm, weight in coefficients.items():
            row[places[arm]] = weight
    errors = np.sqrt([_variance(coefficients, means) for coefficients in family])
    known = errors > 0  # which what is not a number is not
    count = int(known.sum())
    if count < 2:
        return 0.0
    scaled = weights[known] / errors[known, None]
    correlations = (scaled * np.nan_to_num(variances)) @ scaled.T
    return usable_correlation(float((correlations.sum() - count) / (count * (count - 1))))


def _variance(coefficients: Mapping[str, float], means: Mapping[str, Mean]) -> float:
    return sum(weight**2 * means[arm].variance for arm, weight in coefficients.items())


def estimate(
    coefficients: Mapping[str, float], means: Mapping[str, Mean], share: ErrorShare = rules.ALONE
) -> Estimate:
    """A linear combination of independent means, with its interval.

    Args:
        coefficients: Weight of each arm, the one in question first.
        means: By arm.
        share: Of the error.

    Returns:
        `n` is the arm's, `n_baseline` that of whichever other has fewest; `sd` that of a combination of
        single blocks. Without an interval where an arm has fewer than two blocks; n = 0 where one has none.
    """
    parts = [(weight, means[arm]) for arm, weight in coefficients.items()]
    n, others = parts[0][1].n, min(mean.n for _, mean in parts[1:])
    value = sum(weight * mean.value for weight, mean in parts)
    variance = _variance(coefficients, means)
    if not (n and others) or math.isnan(variance):
        n = n if others else 0
        return Estimate(n, value, None, None, None, None, None, None, n_baseline=others)
    if variance == 0:
        p = 1.0 if value == 0 else 0.0
        return Estimate(n, value, 0.0, value, value, value, value, p, p, None, 0.0, 0.0, others)
    error = math.sqrt(variance)
    freedom = _freedom(parts, variance)
    reach = share.reach(freedom)
    p = 2 * float(stats.t.sf(_reach_to_zero(parts, value, error), freedom))
    sd = math.sqrt(sum(weight**2 * mean.spread.variance for weight, mean in parts if mean.spread))
    ends = (*_ends(parts, value, reach), *_ends(parts, value, float(stats.t.isf(rules.ALPHA / 2, freedom))))
    return Estimate(n, value, sd, *ends, p, share.adjusted(p, freedom), freedom, reach, error, others)


def _freedom(parts: Sequence[tuple[float, Mean]], variance: float) -> float:
    """Satterthwaite's degrees of freedom, downwards to a tenth: quantiles are looked up by it."""
    shares = (
        (weight**2 * mean.variance / variance, mean.spread.freedom)
        for weight, mean in parts
        if mean.spread is not None
    )
    return max(1.0, math.floor(10 / sum(share**2 / freedom for share, freedom in shares)) / 10)


def _ends(parts: Sequence[tuple[float, Mean]], value: float, reach: float) -> tuple[float, float]:
    """Zou and Donner's limits: the squared distances of each part's own limits, added."""
    below = above = 0.0
    for weight, mean in parts:
        low, high = sorted(weight * end for end in mean.ends(reach))
        below += (weight * mean.value - low) ** 2
        above += (high - weight * mean.value) ** 2
    return value - math.sqrt(below), value + math.sqrt(above)


def _reach_to_zero(parts: Sequence[tuple[float, Mean]], value: float, error: float) -> float:
    """How many standard errors the interval may reach until it holds zero."""
    if not any(mean.is_share for _, mean in parts):
        return abs(value) / error
    side = 0 if value > 0 else 1

    def lacking(reach: float) -> float:
        return _ends(parts, value, reach)[side] * (1 if value > 0 else -1)

    most = 1.0
    while lacking(most) > 0 and most < 1e6:
        most *= 2
    return most if lacking(most) > 0 else float(optimize.brentq(lacking, 0.0, most, xtol=1e-9))

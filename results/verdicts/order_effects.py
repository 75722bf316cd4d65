"""What the order of arms in a process, and of processes in time, does to what is timed: arrays only.

All numbers stand on the scale of the analysis (the logarithm for ratios).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.verdicts import statistics as rules
from results.verdicts.spread import Spread
from results.verdicts.statistics import MINIMUM_BLOCKS, Estimate, Floats

ORDERS = 9_999
"""Orders of processes that chance is told by: enough for a p-value that is adjusted over many tests."""
_SEED = 20_130
_NOTHING = 1e-9


def place_effect(times: Floats, places: Floats) -> Estimate | None:
    """How much slower an arm reads per unit of `places`; None of fewer than six processes that can tell.

    Levels of arms and of processes are taken out of both by least squares, so that an estimate of each
    process is right whatever the arms take and whichever places they had. The t interval over processes
    gives up one more degree of freedom for the arms' levels, which these share.

    Args:
        times: Processes by arms, on the scale of the analysis; NaN where an arm has none.
        places: The same shape: 1 for the arm in first place and 0 for others, or the place from 0 to 1.
    """
    known = ~(np.isnan(times) | np.isnan(places))
    processes, arms = np.nonzero(known)
    if not len(processes):
        return None
    levels = np.hstack([np.eye(len(times))[processes], np.eye(times.shape[1])[arms]])
    both = np.column_stack([times[known], places[known]])
    time, place = (both - levels @ np.linalg.lstsq(levels, both, rcond=None)[0]).T
    told = np.bincount(processes, place**2)
    tells = told > _NOTHING
    found = np.bincount(processes, place * time)[tells] / told[tells]
    if len(found) < MINIMUM_BLOCKS:
        return None
    return rules.interval(found, Spread(float(np.var(found, ddof=2)), len(found) - 1))


@dataclass(frozen=True, slots=True)
class Succession:
    """What the order of processes in time says.

    Attributes:
        correlation: Of neighbouring processes, in the mean over comparisons, beyond what chance has it be.
        correlation_p: How often processes in another order are as much alike; one-sided.
        drift_p: How often another order has a trend as clear as the clearest (by its squared correlation).
        drifts: Change from the first process to the last, by comparison; NaN where there are too few.
        clearest: Which comparison has the clearest trend.
        n: Processes.
    """

    correlation: float
    correlation_p: float
    drift_p: float
    drifts: Floats
    clearest: int
    n: int


def succession(contrasts: Floats, occasions: NDArray[np.int64]) -> Succession | None:
    """Whether neighbouring processes are alike, and whether effects drift; None of fewer than six.

    Permutation tests, exact where processes are exchangeable. One order holds for all comparisons, which
    share a baseline; processes change places with those of their occasion that timed the same arms. What
    occasions differ in is taken out, and the last process of one is no neighbour of the next one's first.

    Args:
        contrasts: Processes by comparisons, in the order of time; NaN where an arm has none.
        occasions: Of each process.
    """
    n = len(contrasts)
    tells = np.sum(~np.isnan(contrasts), axis=0) >= MINIMUM_BLOCKS
    if not tells.any():
        return None
    drifts = np.full(len(tells), np.nan)
    contrasts = contrasts[:, tells]
    missing = np.isnan(contrasts)
    steps = np.where(missing, np.nan, np.arange(n, dtype=float)[:, None])
    centred, steps = _centred(contrasts, occasions), _centred(steps, occasions)
    moves = np.sum(steps**2, axis=0)
    drifts[tells] = _over(np.sum(steps * centred, axis=0), moves) * np.ptp(steps, axis=0)
    scaled = _over(centred, np.sqrt(np.sum(centred**2, axis=0)))
    orders = _orders(np.column_stack([occasions, missing]))
    near = np.flatnonzero(occasions[1:] == occasions[:-1])
    alike = (scaled @ scaled.T)[orders[:, near], orders[:, near + 1]].sum(axis=1)
    moved = np.empty(orders.shape)
    np.put_along_axis(moved, orders, np.arange(n, dtype=float)[None, :], axis=1)
    trends = _over((moved @ scaled) ** 2, np.broadcast_to(moves, (len(orders), len(moves))))
    return Succession(
        correlation=float(alike[0] - alike[1:].mean()) / contrasts.shape[1],
        correlation_p=_share_as_large(alike),
        drift_p=_share_as_large(trends.max(axis=1)),
        drifts=drifts,
        clearest=int(np.flatnonzero(tells)[np.argmax(trends[0])]),
        n=n,
    )


def _over(values: Floats, sizes: Floats) -> Floats:
    """Values over sizes, 0 where there is no size."""
    return np.divide(values, sizes, out=np.zeros_like(values), where=sizes > 0)


def _centred(values: Floats, occasions: NDArray[np.int64]) -> Floats:
    """Less the mean of each column and occasion; 0 where there is no value."""
    found = np.zeros_like(values)
    for occasion in np.unique(occasions):
        mine = np.ma.masked_invalid(values[occasions == occasion])
        found[occasions == occasion] = (mine - mine.mean(axis=0)).filled(0.0)
    return found


def _orders(strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of time, and many others in which processes of a stratum changed places."""
    generator = np.random.default_rng(_SEED)
    orders = np.tile(np.arange(len(strata)), (ORDERS + 1, 1))
    _, which = np.unique(strata, axis=0, return_inverse=True)
    for stratum in np.unique(which):
        columns = np.flatnonzero(which.ravel() == stratum)
        orders[1:, columns] = generator.permuted(orders[1:, columns], axis=1)
    return orders


def _share_as_large(statistics: Floats) -> float:
    """Share of all orders, the one of time (the first) included, whose statistic is as large as its own."""
    return float(np.mean(statistics >= statistics[0] - _NOTHING))

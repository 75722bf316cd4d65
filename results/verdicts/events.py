"""Time to a target, of which an evaluation now and then tells no more than between which two it was reached.

The logarithm of the steps is taken for normal within an arm; each training says an interval that holds it,
open to the right where the target was missed. Mean and variance of an arm are those of greatest likelihood,
by the EM algorithm (A. P. Dempster, N. M. Laird and D. B. Rubin, 1977); what the mean is worth follows from
the information that is observed (T. A. Louis, "Finding the observed information matrix when using the EM
algorithm", 1982): a training counts as less than one by as much as its interval leaves open.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from results.records.resolved_study import Workload
from results.verdicts.cells import Cell
from results.verdicts.mean import Mean
from results.verdicts.spread import HEAVY_TAILS, Spread, moderated
from results.verdicts.statistics import Floats

STEPS = "steps_to_target"
SCORES = frozenset({"validation_accuracy", "validation_mean_iou"})
"""What a target is of, whichever a training has."""
FEWEST_EVENTS = 3
"""Trainings of an arm that reached the target: fewer say little about when."""
_ROUNDS = 500
_CLOSE = 1e-10


@dataclass(frozen=True, slots=True)
class Events:
    """When each training of an arm reached the target.

    Attributes:
        after: Steps of the last evaluation before it did; 0 before the first.
        until: Steps of the evaluation at which it had; infinite where it never did.
    """

    after: Floats
    until: Floats

    @property
    def reached(self) -> int:
        """How many did."""
        return int(np.isfinite(self.until).sum())


def with_events(found: Iterable[Cell], curves: pd.DataFrame) -> list[Cell]:
    """Cells of steps to a target, each with its arms' events.

    Args:
        found: All of a run.
        curves: As `results.frames.samples.curves` gives it.
    """
    return [
        replace(cell, events=events_of(cell.workload, curves[curves["environment"] == cell.environment]))
        if cell.metric is not None and cell.metric.name == STEPS and not cell.workload.paired
        else cell
        for cell in found
    ]


def events_of(workload: Workload, curves: pd.DataFrame) -> dict[str, Events]:
    """By arm, from the score on validation images; of an arm that never trained there are none."""
    target = float(workload.settings["target"])
    mine = curves[(curves["workload"] == workload.name) & (curves["metric"].isin(SCORES))]
    last = mine.drop_duplicates(["arm", "block", "step"], keep="last").sort_values("step")
    return {
        arm: _between([_bounds(course, target) for _, course in last[last["arm"] == arm].groupby("block")])
        for arm in workload.variants
    }


def _between(bounds: Sequence[tuple[float, float]]) -> Events:
    after, until = np.array(bounds, dtype=float).reshape(-1, 2).T
    return Events(after, until)


def _bounds(course: pd.DataFrame, target: float) -> tuple[float, float]:
    steps = course["step"].to_numpy(dtype=float)
    reached = np.flatnonzero(course["value"].to_numpy(dtype=float) >= target)
    if not len(reached):
        return float(steps[-1]), math.inf
    place = int(reached[0])
    return float(steps[place - 1]) if place else 0.0, float(steps[place])


def means(events: Mapping[str, Events]) -> dict[str, Mean]:
    """The mean logarithm of each arm's steps, its variance drawn towards that of the others.

    Arms in which too few reached the target have no spread.
    """
    fitted = {arm: fit(those) for arm, those in events.items() if those.reached >= FEWEST_EVENTS}
    known = {
        arm: Spread(variance * worth / (worth - 1), worth - 1)
        for arm, (_, variance, worth) in fitted.items()
        if worth > 1 and variance > 0
    }
    drawn = dict(zip(known, moderated(list(known.values()), HEAVY_TAILS), strict=True))
    return {
        arm: Mean(fitted[arm][0], len(those.after), drawn[arm], worth=fitted[arm][2])
        if arm in drawn
        else Mean(math.nan, len(those.after), None)
        for arm, those in events.items()
    }


def fit(events: Events) -> tuple[float, float, float]:
    """Mean and variance of the logarithm of the steps, and how many exactly known trainings these are worth.

    The variance is that of greatest likelihood, but no less than a grid as coarse as this leaves open.
    """
    with np.errstate(divide="ignore"):
        low, high = np.log(events.after), np.log(events.until)
    closed = np.isfinite(low) & np.isfinite(high)
    widths = (high - low)[closed]
    least = float((widths**2).mean() / 12) if len(widths) else 0.0
    middle = np.where(np.isfinite(high), np.where(np.isfinite(low), (low + high) / 2, high - 0.5), low + 0.5)
    mean, variance = float(middle.mean()), max(float(middle.var()), least, 1e-6)
    for _ in range(_ROUNDS):
        expected, left = _within(low, high, mean, math.sqrt(variance))
        new = float(expected.mean())
        spread = max(float(((expected - new) ** 2 + left).mean()), least, 1e-6)
        moved = abs(new - mean) + abs(spread - variance)
        mean, variance = new, spread
        if moved < _CLOSE:
            break
    _, left = _within(low, high, mean, math.sqrt(variance))
    return mean, variance, float((1 - left / variance).clip(min=0).sum())


def _within(low: Floats, high: Floats, mean: float, sd: float) -> tuple[Floats, Floats]:
    """Mean and variance of a normal variable that is known to lie in each interval."""
    a, b = (low - mean) / sd, (high - mean) / sd
    above, below = stats.norm.sf(a) - stats.norm.sf(b), stats.norm.cdf(b) - stats.norm.cdf(a)
    chance = np.maximum(np.where(a > 0, above, below), 1e-300)
    at_a, at_b = stats.norm.pdf(a), stats.norm.pdf(b)
    shift = (at_a - at_b) / chance
    times_a, times_b = (np.where(np.isfinite(z), z, 0.0) * at for z, at in ((a, at_a), (b, at_b)))
    left = 1 + (times_a - times_b) / chance - shift**2
    return mean + sd * shift, sd**2 * left.clip(0, 1)

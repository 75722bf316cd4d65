"""What it costs to know a ratio to ±2 %, from answers: all methods counted alike."""

import math
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from results.verdicts.statistics import MINIMUM_BLOCKS
from tests.calibration.answers import OURS

HALF_WIDTH = math.log(1.02)
FEWEST = 2
"""Fewer answers have no interval."""
_DRAWS = 10_000
_COUNTS = np.geomspace(FEWEST, 1e7, 20_000)
_LARGEST_SD = HALF_WIDTH * np.sqrt(_COUNTS) / stats.t.ppf(0.975, _COUNTS - 1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its interval of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cost:
    """A method's answers in figures; logarithms in percent.

    Attributes:
        method: Which.
        answers: How many there were.
        ratio: Their geometric mean.
        same_percent: Mean logarithm of the ratio of equal networks: a bias where its interval leaves out 0.
        sd_percent: Spread of an answer.
        seconds_each: What an answer takes in the mean.
        needed: Answers until their mean is known to ±2 %.
        seconds: What these take.
        times_ours: The same as a multiple of ours.
        seconds_of_six: What they take where six are the fewest, as this suite's rule has it.
        called_different: Answers whose own samples tell a network from its copy.
        sixes: Lots of six answers.
        sixes_different: Those whose interval tells a network from its copy.
    """

    method: str
    answers: int
    ratio: Estimate
    same_percent: Estimate
    sd_percent: float
    seconds_each: float
    needed: float
    seconds: float
    times_ours: Estimate
    seconds_of_six: float
    called_different: int
    sixes: int
    sixes_different: int


def answers_needed(sd: NDArray[np.float64]) -> NDArray[np.float64]:
    """n from two on with t(n - 1) sd / sqrt(n) = log 1.02; not rounded, so that costs do not jump."""
    return np.interp(sd, _LARGEST_SD, _COUNTS)


def costs(answers: pd.DataFrame) -> list[Cost]:
    """One entry per method, in the order they come."""
    groups = {str(name): group for name, group in answers.groupby("method", sort=False)}
    return [_cost(method, group, groups[OURS]) for method, group in groups.items()]


def _cost(method: str, group: pd.DataFrame, own: pd.DataFrame) -> Cost:
    ratio, same = mean(group["log_ratio"].to_numpy()), mean(group["log_ratio_same"].to_numpy())
    sd, each = float(group["log_ratio"].std(ddof=1)), float(group["seconds"].mean())
    needed = float(answers_needed(np.array(sd)))
    six = MINIMUM_BLOCKS
    lots = [mean(lot) for lot in _lots(group["log_ratio_same"].to_numpy(), six)]
    return Cost(
        method=method,
        answers=len(group),
        ratio=Estimate(*(math.exp(value) for value in (ratio.value, ratio.low, ratio.high))),
        same_percent=Estimate(*(100 * value for value in (same.value, same.low, same.high))),
        sd_percent=100 * sd,
        seconds_each=each,
        needed=needed,
        seconds=needed * each,
        times_ours=Estimate(1, 1, 1) if method == OURS else times(group, own),
        seconds_of_six=max(needed, six) * each,
        called_different=int(group["called_different"].sum()),
        sixes=len(lots),
        sixes_different=sum(not lot.low <= 0 <= lot.high for lot in lots),
    )


def mean(values: NDArray[np.float64]) -> Estimate:
    """The mean and its t interval."""
    center = float(values.mean())
    low, high = stats.t.interval(0.95, len(values) - 1, center, stats.sem(values))
    return Estimate(center, float(low), float(high))


def _lots(values: NDArray[np.float64], size: int) -> list[NDArray[np.float64]]:
    return [values[i : i + size] for i in range(0, len(values) - size + 1, size)]


def times(theirs: pd.DataFrame, own: pd.DataFrame) -> Estimate:
    """Seconds until they know their ratio to ±2 %, as a multiple of ours; both sides' answers resampled.

    Percentiles of the bootstrap: from some 24 answers each, they hold the truth in nine of ten cases.
    """
    generator = np.random.default_rng(0)
    drawn = [
        seconds_needed(group, generator.integers(len(group), size=(_DRAWS, len(group))))
        for group in (theirs, own)
    ]
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    value = seconds_needed(theirs, np.arange(len(theirs))) / seconds_needed(own, np.arange(len(own)))
    return Estimate(float(value), float(low), float(high))


def seconds_needed(answers: pd.DataFrame, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds until the ratio is known to ±2 %, by the answers chosen: one figure for each row of places."""
    sd = answers["log_ratio"].to_numpy()[chosen].std(axis=-1, ddof=1)
    each: NDArray[np.float64] = answers["seconds"].to_numpy()[chosen].mean(axis=-1)
    return answers_needed(sd) * each


def table(found: list[Cost]) -> pd.DataFrame:
    """One row per method, each figure in a column of its own."""
    return pd.json_normalize([asdict(one) for one in found], sep="_")

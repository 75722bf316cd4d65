"""Seeds that do not agree with each other: arms at chance level, and arms whose seeds fall into two heaps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from results.records.resolved_study import ResolvedStudy
from results.verdicts.cells import Cell, cells, places
from results.verdicts.statistics import Floats

_GAP_MARGINS, _GAP_SPREADS, _GAP_WIDEST, _GAP_BASELINE = 5.0, 6.0, 1.5, 10.0
"""Two heaps lie at least 5 margins apart, 6 standard deviations of the tighter one, 1.5 of the wider, and 10
of the baseline's seeds: far beyond what seeds of one kind differ by."""
_CHANCE_ALPHA = 0.025
ACCURACY = "test_accuracy"
"""Of it alone is known how many images were right, and how many guessing gets right."""
SCORES = frozenset({ACCURACY, "test_mean_iou"})
"""What a training is for, whichever it has."""


@dataclass(frozen=True, slots=True)
class Heaps:
    """Two heaps of blocks: the mean of each, and how many are in the lower one."""

    low: float
    high: float
    low_n: int


def with_heaps(
    rows: pd.DataFrame, study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """Effects on shares (accuracies) with `at_chance`, `heap_low`, `heap_high` and `heap_low_n`.

    Args:
        rows: Effects.
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it; `classes` says what chance level is.
    """
    shares = series[(series["unit"] == "fraction") & (series["split"].notna())]
    known = {cell.place: cell for cell in cells(study, shares, outcomes) if cell.metric}
    known_chances = chances(outcomes)
    told = [
        _told(known.get(place), arm, study.baseline, known_chances.get((place[0], place[1]), ()))
        for place, arm in zip(places(rows), rows["arm"], strict=True)
    ]
    found = pd.DataFrame(told, columns=["at_chance", "heap_low", "heap_high", "heap_low_n"], index=rows.index)
    return rows.assign(**{str(name): found[name].astype(rows[name].dtype) for name in found})


def _told(
    cell: Cell | None, arm: str, baseline: str, known: tuple[float, ...]
) -> tuple[int | None, float | None, float | None, int | None]:
    if cell is None:
        return None, None, None, None
    heaps = split(cell, arm, baseline)
    low, high, low_n = (heaps.low, heaps.high, heaps.low_n) if heaps else (None, None, None)
    return at_chance(cell, arm, known), low, high, low_n


def chances(outcomes: pd.DataFrame) -> dict[tuple[str, str], tuple[float, ...]]:
    """Classes and test images by environment and workload, where all arms agree on them."""
    found: dict[tuple[str, str], tuple[float, ...]] = {}
    for key, group in outcomes.groupby(["environment", "workload"]):
        classes, images = (set(group[name].dropna()) for name in ("classes", "test_images"))
        if len(classes) == 1 and len(images) == 1 and min(classes) > 1:
            found[str(key[0]), str(key[1])] = (min(classes), min(images))
    return found


def at_chance(cell: Cell, arm: str, known: tuple[float, ...]) -> int | None:
    """Blocks in which the arm was right no more often than guessing is; None where chance is not known.

    A share is at chance level if it is not above the 97.5 % point of the binomial distribution of as many
    guesses among equally likely classes.
    """
    if not known or cell.metric is None or cell.metric.name != ACCURACY:
        return None
    return int((cell.values(arm) <= chance_level(known)).sum())


def chance_level(known: tuple[float, ...]) -> float:
    """The share of right answers up to which an arm may have guessed.

    Args:
        known: Number of classes and of test images.
    """
    classes, images = known
    return float(stats.binom.ppf(1 - _CHANCE_ALPHA, int(images), 1 / classes)) / images


def split(cell: Cell, arm: str, baseline: str) -> Heaps | None:
    """The two heaps that an arm's blocks of a share fall into; None where they lie together."""
    if cell.metric is None or cell.metric.unit != "fraction" or cell.split is None:
        return None
    values = np.sort(cell.values(arm).to_numpy(dtype=float))
    others = cell.values(baseline).to_numpy(dtype=float)
    usual = float(np.std(others, ddof=1)) if len(others) > 1 and arm != baseline else 0.0
    return two_heaps(values, cell.metric.margin, usual)


def two_heaps(values: Floats, margin: float, usual_sd: float) -> Heaps | None:
    """Split sorted values at their widest gap, at least two on either side, if it is wide enough.

    Args:
        values: In ascending order.
        margin: The smallest difference that counts.
        usual_sd: Standard deviation of the baseline's values.
    """
    if len(values) < 4:
        return None
    gaps = np.diff(values)[1:-1]
    place = int(np.argmax(gaps)) + 2
    low, high, gap = values[:place], values[place:], float(gaps.max())
    spreads = sorted(float(np.std(heap, ddof=1)) for heap in (low, high))
    wide_enough = gap >= max(
        _GAP_MARGINS * margin, _GAP_SPREADS * spreads[0], _GAP_WIDEST * spreads[1], _GAP_BASELINE * usual_sd
    )
    return Heaps(float(low.mean()), float(high.mean()), len(low)) if wide_enough and gap > 0 else None

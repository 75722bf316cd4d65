"""Where the spread of a timed contrast comes from, and what that says about rounds and processes.

T. Kalibera and R. Jones, "Rigorous benchmarking in reasonable time" (ISMM 2013): with a cost per process and
one per round, the least costly way to a given width has sqrt(c_process / c_round * v_round / v_process)
rounds in each process.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.verdicts.cells import Cell

FEWEST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Components:
    """Variance of a contrast's logarithm, averaged over arms.

    Attributes:
        between_processes: What would be left with ever so many rounds.
        between_rounds: Of one round; that of a process's median is this over the number of rounds.
        rounds: Rounds of a process, in the mean.
    """

    between_processes: float
    between_rounds: float
    rounds: float

    @property
    def process_share(self) -> float:
        """Share of a process's variance that more rounds would not take away; NaN where nothing varies."""
        whole = self.between_processes + self.between_rounds / self.rounds
        return self.between_processes / whole if whole > 0 else math.nan

    def best_rounds(self, process_seconds: float, round_seconds: float) -> int:
        """Rounds of a process for the least cost, no more than there were.

        Args:
            process_seconds: What a process costs beside its rounds.
            round_seconds: What a round costs.
        """
        most = max(FEWEST_ROUNDS, round(self.rounds))
        if self.between_processes <= 0 or round_seconds <= 0:
            return most
        ratio = process_seconds / round_seconds * self.between_rounds / self.between_processes
        return int(min(most, max(FEWEST_ROUNDS, math.ceil(math.sqrt(ratio)))))


def components(cell: Cell, arms: Iterable[str], baseline: str) -> Components | None:
    """Components over the arms of a cell; None from fewer than two processes or four rounds.

    The spread that rounds bring to a process's median is seen in its halves: their medians, each over every
    other pair of rounds, differ by it and by nothing else.
    """
    processes, halves, rounds = [], [], []
    for arm in arms:
        if not {arm, baseline} <= set(cell.wide.columns):
            continue
        ratios = cell.on_scale((cell.wide[arm] / cell.wide[baseline]).to_numpy(dtype=float))
        by_block = pd.Series(ratios, cell.wide.index).dropna().groupby(level="block")
        counts = by_block.size()
        if len(counts) < 2 or counts.min() < 4:
            continue
        processes.append(float(by_block.median().var(ddof=1)))
        halves.append(float(np.mean([_half_difference(group.to_numpy()) ** 2 for _, group in by_block])))
        rounds.append(float(counts.mean()))
    if not processes:
        return None
    count, of_median = float(np.mean(rounds)), float(np.mean(halves)) / 4
    return Components(max(0.0, float(np.mean(processes)) - of_median), of_median * count, count)


def _half_difference(values: np.ndarray) -> float:
    """Difference of the medians of every other pair: pairs, since a pair's orders mirror each other."""
    odd = np.arange(len(values)) // 2 % 2 == 1
    return float(np.median(values[odd]) - np.median(values[~odd]))

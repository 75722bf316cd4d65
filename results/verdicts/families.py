"""Estimates of all comparisons of a table, each with the spread that its cell's arms have in common.

Of what was timed, arms differ by what a process is born with, much alike for all; arms that are samples of
their own (trainings) are in `unpaired`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from results.records.record import number_of
from results.verdicts import statistics as rules
from results.verdicts import unpaired
from results.verdicts.cells import Cell
from results.verdicts.comparison import Comparison
from results.verdicts.simultaneous import usable_correlation
from results.verdicts.spread import moderated
from results.verdicts.statistics import ErrorShare, Estimate, Floats

Found = tuple[pd.Series, Estimate]
"""Contrasts by block, and what they say."""


def estimated(comparisons: Sequence[Comparison], sizes: Mapping[str, int], looks: int = 1) -> list[Found]:
    """An estimate per comparison.

    Args:
        comparisons: All of a table; those of one cell share their spread, its duplicate's included.
        sizes: Number of comparisons by family.
        looks: How many the study declared.
    """
    contrasts = [comparison.cell.contrast(comparison.coefficients) for comparison in comparisons]
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    found: dict[int, Estimate] = {}
    apart: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, comparison in enumerate(comparisons):
        cell = comparison.cell
        if cell.exact and len(contrasts[i]):
            found[i] = rules.exact_estimate(float(contrasts[i].iloc[0]))
        elif not comparison.paired:
            apart[cell.place].append(i)
        elif cell.workload.block_unit == "process":
            groups[(*cell.place, len(comparison.coefficients))].append(i)
        else:
            found[i] = rules.estimate(contrasts[i].to_numpy(dtype=float), sizes[comparison.family], looks)
    for members in groups.values():
        found |= _together(members, comparisons, contrasts, sizes, looks)
    for members in apart.values():
        those = unpaired.estimates([comparisons[i] for i in members], sizes, looks)
        found |= dict(zip(members, those, strict=True))
    return [(contrasts[i], found[i]) for i in range(len(comparisons))]


def _together(
    members: Sequence[int],
    comparisons: Sequence[Comparison],
    contrasts: Sequence[pd.Series],
    sizes: Mapping[str, int],
    looks: int,
) -> dict[int, Estimate]:
    """Estimates of comparisons of one cell."""
    cell = comparisons[members[0]].cell
    families = {comparisons[i].family for i in members}
    among = {
        family: [_after_first(cell, contrasts[i]) for i in members if comparisons[i].family == family]
        for family in families
    }
    correlations = {family: correlation(those) for family, those in among.items()}
    own = [rules.own_spread(_after_first(cell, contrasts[i]).to_numpy(dtype=float)) for i in members]
    known = iter(moderated([spread for spread in own if spread is not None]))
    spreads = [None if spread is None else next(known) for spread in own]
    found = {}
    for i, spread in zip(members, spreads, strict=True):
        family = comparisons[i].family
        # A family that reaches beyond the cell (that of all duplicates) has no spread in common.
        within = correlations[family] if sizes[family] == len(among[family]) else None
        values = contrasts[i].to_numpy(dtype=float)
        found[i] = rules.interval(values, spread, ErrorShare(sizes[family], within, looks))
    return found


def _after_first(cell: Cell, contrasts: pd.Series) -> pd.Series:
    """Contrasts whose spread makes the interval: not those of the first stage, which said how many to run."""
    stopping = cell.workload.stopping
    if stopping is None or cell.block_unit != "process":
        return contrasts
    later = contrasts[[number_of(str(block)) >= stopping.first_stage for block in contrasts.index]]
    return later if len(later) > 1 else contrasts


def correlation(contrasts: Sequence[pd.Series]) -> float:
    """Mean correlation of the contrasts of a family, which share their baseline: 0 to 1/2, downwards to 0.1.

    0, which Šidák's inequality covers, where there are too few to tell.
    """
    wide = pd.concat(contrasts, axis=1, keys=range(len(contrasts))).dropna() if contrasts else pd.DataFrame()
    varying = wide.loc[:, wide.nunique() > 1]
    count = varying.shape[1]
    if count < 2 or len(varying) < 3:
        return 0.0
    return mean_correlation(varying.to_numpy(dtype=float))


def mean_correlation(values: Floats) -> float:
    """As `correlation`, of columns that vary; values of shape (blocks, comparisons)."""
    count = values.shape[1]
    matrix = np.corrcoef(values.T)
    return usable_correlation(float((matrix.sum() - count) / (count * (count - 1))))

"""How many seeds each arm takes until its interval is as narrow as declared, from the first ones' spread.

Asked once, when the seeds that every arm has are on record, of the spread alone: arms that scatter have more
seeds, those that are known well enough have none, and significance plays no part. The baseline has the square
root of as many times more as there are arms that lean on it (C. W. Dunnett, 1955), which costs least.
"""

import math
from collections.abc import Mapping, Sequence

from scipy import stats

from results.frames import samples
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts import statistics as rules
from results.verdicts import unpaired
from results.verdicts.cells import Cell, cells
from results.verdicts.mean import Mean
from results.verdicts.simultaneous import MOST_CORRELATION, critical_value

ASSURANCE = 0.75
"""How often the seeds added shall be enough: their number allows for a spread that was underestimated."""


def seeds_needed(study: ResolvedStudy, workload: Workload, records: Sequence[Record]) -> dict[str, int]:
    """Seeds by arm, at least those planned and at most those declared.

    Args:
        study: For arms and metrics.
        workload: One with a stopping rule, whose arms are samples of their own.
        records: Of one environment; those of the seeds that every arm has are looked at.
    """
    first = [
        record
        for record in records
        if record.workload == workload.name
        and any(record.block_number < workload.planned(outcome.arm) for outcome in record.outcomes)
    ]
    wanted = {arm: workload.planned(arm) for arm in workload.variants}
    found = cells(study, samples.series(study, first), samples.outcomes(study, first))
    assert workload.stopping is not None
    for cell in found:
        if cell.metric and cell.metric.name == workload.stopping.metric:
            for arm, count in _in_cell(study, workload, cell).items():
                wanted[arm] = min(workload.most(arm), max(wanted[arm], count))
    return wanted


def _in_cell(study: ResolvedStudy, workload: Workload, cell: Cell) -> dict[str, int]:
    arms = [
        arm.name
        for arm in study.arms
        if arm.role == "arm"
        and workload.planned(arm.name) >= workload.replicates
        and _ended_well(cell, arm.name)
    ]
    means = unpaired.means({arm: unpaired.numbers(cell, arm) for arm in (study.baseline, *arms)})
    known = {arm: mean for arm, mean in means.items() if mean.spread is not None}
    if study.baseline not in known or len(known) == 1:
        return {}
    assert workload.stopping is not None
    planned = sum(arm.role == "arm" for arm in study.arms)
    return allocated(known, study.baseline, workload.stopping.half_width, planned, study.looks)


def _ended_well(cell: Cell, arm: str) -> bool:
    """Whether more seeds would help: not where they diverge or fail."""
    return arm in cell.fates and not cell.fates[arm].lost


def allocated(
    means: Mapping[str, Mean], baseline: str, half_width: float, comparisons: int, looks: int = 1
) -> dict[str, int]:
    """Seeds by arm until each interval reaches `half_width` to either side; only of arms that lack some.

    Args:
        means: By arm, from the first seeds.
        baseline: The arm that all others are set against.
        half_width: In the metric's unit.
        comparisons: Size of the family.
        looks: How many the study declared.
    """
    variances = {arm: _doubtful(mean) for arm, mean in means.items()}
    freedoms = [mean.spread.freedom for mean in means.values() if mean.spread is not None]
    reach = critical_value(rules.ALPHA / looks, comparisons, max(10.0, min(freedoms)), MOST_CORRELATION)
    aim = (half_width / reach) ** 2
    of_baseline = variances[baseline] / means[baseline].n
    others = [arm for arm in means if arm != baseline]
    open_ = [arm for arm in others if variances[arm] / means[arm].n + of_baseline > aim]
    if not open_:
        return {}
    count = max(means[baseline].n, math.ceil(variances[baseline] * (1 + math.sqrt(len(others))) / aim))
    left = aim - variances[baseline] / count
    return {baseline: count} | {arm: math.ceil(variances[arm] / left) for arm in open_}


def _doubtful(mean: Mean) -> float:
    """A seed's variance at the upper quartile of what it may be."""
    assert mean.spread is not None
    freedom = mean.spread.freedom
    return mean.spread.variance * freedom / float(stats.chi2.ppf(1 - ASSURANCE, freedom))

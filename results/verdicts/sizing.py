"""What the first processes of a timed workload ask for: how many in all, and of how many rounds each.

The first of two stages (C. Stein, 1945): later processes had no say in their number, so that intervals
which rest on their spread cover as they should, however many there were.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

from results.frames import samples
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy, Stopping, Workload
from results.verdicts import statistics as rules
from results.verdicts.cells import Cell, cells
from results.verdicts.components import Components, components
from results.verdicts.simultaneous import MOST_CORRELATION, critical_value
from results.verdicts.spread import Spread, moderated

ASSURANCE = 0.75
"""How often the later processes shall be enough: their number allows for a spread that was underestimated."""

Key = tuple[str, str]
"""An arm and a mode."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """What the first stage of a workload asks for.

    Attributes:
        processes: Processes in all, by arm and mode.
        rounds_share: Share of the first stage's rounds that later processes have.
    """

    processes: Mapping[Key, int]
    rounds_share: float


def size(study: ResolvedStudy, workload: Workload, records: Iterable[Record]) -> Sizing:
    """How many processes, and of how many rounds, after the first stage.

    The spread that the arms have in common, taken at its upper quartile, shall give intervals as narrow as
    declared; rounds are those of least cost.

    Args:
        study: For arms and metrics.
        workload: One with a stopping rule.
        records: Of one environment and occasion, at least those of the first stage; others do not count.
    """
    stopping = workload.stopping
    assert stopping is not None
    first = [r for r in records if r.workload == workload.name and r.block_number < stopping.first_stage]
    arms = [arm.name for arm in study.arms if arm.role == "arm"]
    wanted: dict[Key, int] = {}
    shares: list[float] = []
    for cell in headline_cells(study, workload, first):
        spreads = _spreads(study, cell)
        for arm in arms:
            if arm in cell.fates:
                enough = processes_needed(spreads.get(arm), len(arms), stopping, study.looks)
                wanted[arm, cell.mode or ""] = min(stopping.at_most, max(workload.replicates, enough))
        parts = components(cell, arms, study.baseline)
        if parts is not None:
            shares.append(_best_share(parts, first, cell))
    return Sizing(wanted, max(shares, default=1.0))


def headline_cells(study: ResolvedStudy, workload: Workload, records: Iterable[Record]) -> Iterator[Cell]:
    """The cells of a workload, one a mode, of the metric that its stopping rule looks at."""
    mine = [record for record in records if record.workload == workload.name]
    found = cells(study, samples.series(study, mine), samples.outcomes(study, mine))
    assert workload.stopping is not None
    return (cell for cell in found if cell.metric and cell.metric.name == workload.stopping.metric)


def _spreads(study: ResolvedStudy, cell: Cell) -> dict[str, Spread]:
    """By arm, the duplicate included, as far as there is any."""
    own = {
        arm.name: rules.own_spread(contrasts.to_numpy(dtype=float))
        for arm in study.arms
        if arm.role != "baseline"
        and len(contrasts := cell.block_contrast({arm.name: 1.0, study.baseline: -1.0}))
    }
    known = {arm: spread for arm, spread in own.items() if spread is not None}
    return dict(zip(known, moderated(list(known.values())), strict=True))


def processes_needed(spread: Spread | None, comparisons: int, stopping: Stopping, looks: int = 1) -> int:
    """Processes in all until the interval is as narrow as declared; 0 where there is nothing to go by."""
    if spread is None:
        return 0
    doubtful = spread.freedom / float(stats.chi2.ppf(1 - ASSURANCE, spread.freedom))
    # Later on the spread is known better than the first stage knows it.
    reach = critical_value(rules.ALPHA / looks, comparisons, max(10.0, spread.freedom), MOST_CORRELATION)
    return math.ceil(reach**2 * spread.variance * doubtful / math.log1p(stopping.half_width) ** 2)


def _best_share(parts: Components, first: Sequence[Record], cell: Cell) -> float:
    """The rounds of least cost, as a share of those there were."""
    phases = [record.details.get("seconds_by_phase", {}) for record in first]
    beside = sum(float(seconds) for phase in phases for what, seconds in phase.items() if what != "timed")
    modes = len({m.mode for record in first for o in record.outcomes for m in o.measurements}) or 1
    best = parts.best_rounds(beside / len(first) / modes, _round_seconds(first, cell))
    return min(1.0, best / parts.rounds)


def _round_seconds(first: Sequence[Record], cell: Cell) -> float:
    """What a round of all arms takes: of each, the steps of a turn by the time of a step."""
    steps = {
        outcome.arm: float(
            outcome.details.get("timing", {}).get(cell.mode or "", {}).get("steps_per_block", 1)
        )
        for record in first
        for outcome in record.outcomes
    }
    return sum(steps.get(str(arm), 1.0) * float(cell.wide[arm].mean()) for arm in cell.wide)

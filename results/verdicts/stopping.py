"""When enough was measured: on precision or a budget declared beforehand, never on significance.

A pure function of the records, so that a run that was interrupted stops where an undisturbed one does, and a
report can say why it stopped.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from results.frames import samples
from results.records.directory import latest
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts import statistics as rules
from results.verdicts.cells import Cell, cells

PRECISE = "every interval is narrow enough"
BUDGET = "the budget is spent"
AT_MOST = "the most processes were run"
FIXED = "as many as declared"
UNDER_WAY = "under way"
GIVEN_UP = "every interval is narrow enough, but for arms that failed"

COST_COLUMNS = [
    *("environment", "workload", "schedule", "processes", "at_least", "at_most", "target", "reached"),
    *("reason", "open_arms", "seconds", "timed_seconds", "warmup_seconds", "build_seconds"),
    "start_seconds",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a workload goes on, after some blocks.

    Attributes:
        arms: Arms whose interval is too wide still; empty where the workload is done.
        modes: Modes in which one is.
        reached: The widest half-width, as a ratio less 1; None before there is an interval.
        reason: Why it goes on or has stopped, in words.
    """

    arms: frozenset[str]
    modes: frozenset[str]
    reached: float | None
    reason: str


def decide(study: ResolvedStudy, workload: Workload, records: Sequence[Record], blocks: int) -> Decision:
    """Decide after `blocks` blocks, all of which are on record.

    Args:
        study: For arms, metrics and the budget.
        workload: One with a stopping rule.
        records: Records of one environment: of the workload's first `blocks` blocks, and of all other
            workloads with a stopping rule, with which it shares the budget.
        blocks: How many blocks that is.
    """
    stopping = workload.stopping
    assert stopping is not None
    mine = [record for record in records if record.workload == workload.name]
    failing = _failing(mine)
    widths = {
        key: width for key, width in _half_widths(study, workload, mine).items() if key[0] not in failing
    }
    widest = max(widths.values(), default=math.inf)
    reached = None if math.isinf(widest) else math.expm1(widest)
    open_ = {key for key, width in widths.items() if width > math.log1p(stopping.half_width)}
    if not open_:
        return Decision(frozenset(), frozenset(), reached, GIVEN_UP if failing else PRECISE)
    if blocks >= stopping.at_most:
        return Decision(frozenset(), frozenset(), reached, AT_MOST)
    if study.budget_seconds is not None and _added_seconds(study, records) >= study.budget_seconds:
        return Decision(frozenset(), frozenset(), reached, BUDGET)
    arms, modes = (frozenset(part for part in parts if part) for parts in zip(*open_, strict=True))
    return Decision(arms, modes, reached, UNDER_WAY)


def _half_widths(
    study: ResolvedStudy, workload: Workload, records: Sequence[Record]
) -> dict[tuple[str, str], float]:
    """Half-widths of the simultaneous intervals by arm and mode, on the scale of the analysis."""
    baseline, arms = study.baseline, {arm.name for arm in study.arms if arm.role == "arm"}
    return {
        (arm, cell.mode or ""): _half_width(cell, arm, baseline, len(arms))
        for cell in _cells(study, workload, records)
        for arm in arms & cell.fates.keys()
    }


def _cells(study: ResolvedStudy, workload: Workload, records: Sequence[Record]) -> Iterable[Cell]:
    assert workload.stopping is not None
    found = cells(study, samples.series(study, records), samples.outcomes(study, records))
    return [cell for cell in found if cell.metric and cell.metric.name == workload.stopping.metric]


def _half_width(cell: Cell, arm: str, baseline: str, comparisons: int) -> float:
    """On the scale of the analysis; infinite without an interval."""
    contrasts = cell.contrast({arm: 1.0, baseline: -1.0})
    found = rules.estimate(contrasts.to_numpy(dtype=float), comparisons)
    if found.low is None or found.high is None or found.n < rules.MINIMUM_BLOCKS:
        return math.inf
    return (found.high - found.low) / 2


def _failing(records: Iterable[Record]) -> set[str]:
    """Arms that did not end well in the last block that they were in: more blocks would not help them."""
    last: dict[str, tuple[int, str]] = {}
    for record in records:
        for outcome in record.outcomes:
            turn = (record.block_number, outcome.status)
            last[outcome.arm] = max(last.get(outcome.arm, turn), turn)
    return {arm for arm, (_, status) in last.items() if status != "ok"}


def given_up(records: Iterable[Record]) -> frozenset[tuple[str, str, str]]:
    """(environment, workload, arm) that failed in the same way in two blocks: a third would not do better."""
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for record in latest(records).values():
        for outcome in record.outcomes:
            if outcome.status == "failed":
                key = (record.environment, record.workload, outcome.arm)
                reasons.setdefault(key, []).append(outcome.reason or "")
    return frozenset(key for key, said in reasons.items() if len(said) > len(set(said)))


def _added_seconds(study: ResolvedStudy, records: Iterable[Record]) -> float:
    """Seconds of the blocks beyond the fewest."""
    fewest = {w.name: w.replicates for w in study.workloads if w.stopping}
    return sum(
        record.seconds
        for record in records
        if record.workload in fewest and record.block_number >= fewest[record.workload]
    )


def cost(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per environment and timed workload: how many processes, why so many, what they took.

    `target` and `reached` are half-widths of the simultaneous interval as a ratio less 1, `open_arms` the
    arms that the next process is for; seconds are wall time: of whole processes, and of their parts.
    """
    last = list(latest(records).values())
    rows = []
    for environment in sorted({record.environment for record in last}):
        here = [record for record in last if record.environment == environment]
        for workload in (w for w in study.workloads if w.block_unit == "process"):
            mine = [record for record in here if record.workload == workload.name]
            if mine:
                rows.append({"environment": environment, **_cost(study, workload, mine, here)})
    return pd.DataFrame(rows, columns=COST_COLUMNS)


def _cost(
    study: ResolvedStudy, workload: Workload, mine: Sequence[Record], here: Sequence[Record]
) -> dict[str, object]:
    blocks = len({record.block for record in mine})
    open_arms: list[str] = []
    if workload.stopping is None:
        reason, reached = FIXED if blocks >= workload.replicates else UNDER_WAY, None
    elif blocks < workload.replicates:
        reason, reached = UNDER_WAY, None
    else:
        found = decide(study, workload, here, blocks)
        reason, reached, open_arms = found.reason, found.reached, sorted(found.arms)
    phases = [record.details.get("seconds_by_phase", {}) for record in mine]
    parts = {
        f"{part}_seconds": sum(float(phase.get(part, 0.0)) for phase in phases)
        for part in ("timed", "warmup", "build", "start")
    }
    return {
        "workload": workload.name,
        "schedule": mine[-1].details.get("schedule", "interleaved"),
        "processes": blocks,
        "at_least": workload.replicates,
        "at_most": workload.stopping.at_most if workload.stopping else workload.replicates,
        "target": workload.stopping.half_width if workload.stopping else math.nan,
        "reached": math.nan if reached is None else reached,
        "reason": reason,
        "open_arms": open_arms,
        "seconds": sum(record.seconds for record in mine),
        **parts,
    }

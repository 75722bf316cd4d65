"""When enough was measured: on precision declared beforehand, never on significance.

A pure function of the records, so that a run that was interrupted stops where an undisturbed one does, and a
report can say why it stopped.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from results.records.directory import latest
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts import statistics as rules
from results.verdicts.comparison import Comparison
from results.verdicts.families import estimated
from results.verdicts.sizing import Key, Sizing, headline_cells, size

PRECISE = "every interval is narrow enough"
AT_MOST = "the most processes were run"
AS_ASKED = "as many as the first ones asked for"
FIXED = "as many as declared"
UNDER_WAY = "under way"
GIVEN_UP = "every interval is narrow enough, but for arms that failed"

COST_COLUMNS = [
    *("environment", "workload", "occasion", "schedule", "processes", "at_least", "at_most", "target"),
    *("reached", "reason", "open_arms", "seconds", "timed_seconds", "warmup_seconds", "build_seconds"),
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
    """Decide after `blocks` blocks, all of which are on record; see `size` for what the first ones ask for.

    Args:
        study: For arms and metrics.
        workload: One with a stopping rule.
        records: Records of one environment and occasion, the workload's first `blocks` blocks among them.
        blocks: How many blocks that is.
    """
    decision = going_on(workload, size(study, workload, records), records, blocks)
    if decision.arms:
        return decision
    mine = [record for record in records if record.workload == workload.name]
    failing = _failing(mine)
    widths = [w for (arm, _), w in _half_widths(study, workload, mine).items() if arm not in failing]
    widest = max(widths, default=math.inf)
    reached = None if math.isinf(widest) else math.expm1(widest)
    assert workload.stopping is not None
    reason = decision.reason
    if reason == AS_ASKED and (reached is None or reached <= workload.stopping.half_width):
        reason = GIVEN_UP if failing else PRECISE
    return Decision(frozenset(), frozenset(), reached, reason)


def going_on(workload: Workload, sizing: Sizing, records: Sequence[Record], blocks: int) -> Decision:
    """As `decide`, by a size that is known, and without a look at what was reached."""
    stopping = workload.stopping
    assert stopping is not None
    failing = _failing(record for record in records if record.workload == workload.name)
    wanted = {key: count for key, count in sizing.processes.items() if key[0] not in failing}
    open_ = {key for key, count in wanted.items() if count > blocks}
    if not open_:
        most = blocks >= stopping.at_most and blocks > workload.replicates
        return Decision(frozenset(), frozenset(), None, AT_MOST if most else AS_ASKED)
    arms, modes = (frozenset(part for part in parts if part) for parts in zip(*open_, strict=True))
    return Decision(arms, modes, None, UNDER_WAY)


def _half_widths(study: ResolvedStudy, workload: Workload, records: Sequence[Record]) -> Mapping[Key, float]:
    """Half-widths of the simultaneous intervals by arm and mode, on the scale of the analysis."""
    roles: dict[str, str] = {arm.name: arm.role for arm in study.arms if arm.role != "baseline"}
    found: dict[Key, float] = {}
    for cell in headline_cells(study, workload, records):
        comparisons = [
            Comparison(cell, arm, study.baseline, {arm: 1.0, study.baseline: -1.0}, role, {})
            for arm, role in roles.items()
            if arm in workload.variants
        ]
        sizes = {role: sum(one.family == role for one in comparisons) for role in roles.values()}
        for one, (_, estimate) in zip(comparisons, estimated(comparisons, sizes, study.looks), strict=True):
            if one.family == "arm" and one.arm in cell.fates:
                known = estimate.n >= rules.MINIMUM_BLOCKS and estimate.low is not None
                half = (estimate.high or 0.0) - estimate.mean if known else math.inf
                found[one.arm, cell.mode or ""] = half
    return found


def _failing(records: Iterable[Record]) -> set[str]:
    """Arms that did not end well in the last block that they were in: more blocks would not help them."""
    last: dict[str, tuple[int, str]] = {}
    for record in records:
        for outcome in record.outcomes:
            turn = (record.block_number, outcome.status)
            last[outcome.arm] = max(last.get(outcome.arm, turn), turn)
    return {arm for arm, (_, status) in last.items() if status != "ok"}


class Failures:
    """Arms that failed in the same way in two blocks, kept up to date record by record.

    Attributes:
        given_up: (environment, workload, arm) of each: a third block would not do better.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.given_up: frozenset[tuple[str, str, str]] = frozenset()
        self._attempts: dict[tuple[str, str], Record] = {}
        self._blocks: Counter[tuple[tuple[str, str, str], str]] = Counter()
        self._repeated: Counter[tuple[str, str, str]] = Counter()
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Take a record in; the last attempt of a trial counts."""
        key = (record.trial, record.environment)
        before = self._attempts.get(key)
        if before is not None and before.attempt >= record.attempt:
            return
        self._attempts[key] = record
        for one, change in ((before, -1), (record, 1)):
            for arm, reason in _failed(one) if one else ():
                self._blocks[arm, reason] += change
                if self._blocks[arm, reason] == (2 if change > 0 else 1):  # it repeats now, or does no more
                    self._repeated[arm] += change
                    is_lost = self._repeated[arm] > 0
                    self.given_up = self.given_up | {arm} if is_lost else self.given_up - {arm}


def _failed(record: Record) -> Iterator[tuple[tuple[str, str, str], str]]:
    for outcome in record.outcomes:
        if outcome.status == "failed":
            yield (record.environment, record.workload, outcome.arm), outcome.reason or ""


def given_up(records: Iterable[Record]) -> frozenset[tuple[str, str, str]]:
    """(environment, workload, arm) that failed in the same way in two blocks; see `Failures`."""
    return Failures(records).given_up


def cost(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per environment, timed workload and occasion: how many processes, why, what they took.

    `target` and `reached` are half-widths of the simultaneous interval as a ratio less 1, `open_arms` the
    arms that the next process is for; seconds are wall time: of whole processes, and of their parts.
    """
    last = list(latest(records).values())
    rows = []
    for environment, occasion in sorted({(record.environment, record.occasion) for record in last}):
        here = [r for r in last if (r.environment, r.occasion) == (environment, occasion)]
        for workload in (w for w in study.workloads if w.block_unit == "process"):
            mine = [record for record in here if record.workload == workload.name]
            if mine:
                place = {"environment": environment, "occasion": occasion}
                rows.append(place | _cost(study, workload, mine, here))
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

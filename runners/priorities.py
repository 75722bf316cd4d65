"""In which order trials are run where time is short: what decides most for its time goes first.

By cost, counts and the width of intervals alone. Which way a result points, and how far, plays no part: an
order that looked at it would find differences that are none.

1. What is exact, the cheapest workload first.
2. What brings contrasts to as many blocks as a verdict needs, the cheapest contrast first. Interleaved arms
   come to it together; of trainings the baseline and its duplicate come first, on which all lean, then arm
   by arm, since six seeds of one arm decide something and three of two arms do not. What cannot come that
   far in the time that is left waits.
3. The other blocks that were declared: of arms whose intervals the blocks left can make as narrow as their
   margins, the cheapest first; then where intervals are wider than that; then where they are narrow.
4. What waited: a later run goes on with it.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from results.records.resolved_study import EXACT, ResolvedStudy, Workload
from results.verdicts.statistics import MINIMUM_BLOCKS
from results.verdicts.tuning import searches
from runners.trial import Trial

Counts = Mapping[tuple[str, str], int]
"""Blocks by (workload, arm): on record or under way."""

Widths = Mapping[tuple[str, str], float]
"""By (workload, arm), how wide its widest headline interval is, as a multiple of the metric's margin."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs trials, and how fast.

    Attributes:
        seconds: Forecast of a trial, of its process.
        jobs: Untimed trials side by side.
    """

    seconds: Callable[[Trial], float]
    jobs: int

    def share(self, trial: Trial) -> float:
        """Seconds of the whole machine that a trial takes."""
        return self.seconds(trial) / (1 if is_alone(trial) else self.jobs)

    def total(self, trials: Sequence[Trial]) -> float:
        """Seconds of the whole machine that trials take together."""
        return sum(map(self.share, trials))


def is_alone(trial: Trial) -> bool:
    """Whether nothing else runs beside a trial."""
    return trial.timed or trial.device != "cpu"


@dataclass(slots=True)
class _Question:
    """What one workload lacks until its contrasts have as many blocks as a verdict needs.

    Attributes:
        workload: Its name.
        every: Its arms.
        first: What every contrast needs.
        arms: What each arm needs beside, the cheapest first.
        ahead: Seconds of what is needed too, and is known once `first` is on record.
    """

    workload: str
    every: Collection[str]
    first: Sequence[Trial]
    arms: Sequence[tuple[str, Sequence[Trial]]]
    ahead: float = 0.0

    def best(self, machine: Machine, room: float) -> tuple[float, int, float]:
        """Least seconds a contrast, of how many contrasts, and what they take in all; infinite for none."""
        spent, least = machine.total(self.first) + self.ahead, (math.inf, 0, 0.0)
        for count, (_, trials) in enumerate(self.arms, start=1):
            spent += machine.total(trials)
            if spent > room:
                break
            least = min(least, (spent / count, count, spent))
        return least

    def taken(self, count: int) -> Iterator[Trial]:
        """What the first so many contrasts need; it is lacking no more."""
        yield from self.first
        for _, trials in self.arms[:count]:
            yield from trials
        self.first, self.ahead, self.arms = [], 0.0, self.arms[count:]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands when its next trial is chosen.

    Attributes:
        study: The study.
        open: Trials that are wanted and neither on record nor under way, in the plan's order.
        have: Blocks on record or under way.
        room: Seconds left for measuring.
        widths: Of intervals, as far as they are known.
    """

    study: ResolvedStudy
    open: Sequence[Trial]
    have: Counts = field(default_factory=dict)
    room: float = math.inf
    widths: Widths = field(default_factory=dict)


def ranked(now: Standing, machine: Machine) -> list[Trial]:
    """The open trials in the order in which they are run; see the module."""
    by_workload: dict[str, list[Trial]] = defaultdict(list)
    for trial in now.open:
        by_workload[trial.workload.name].append(trial)
    exact = [name for name, trials in by_workload.items() if trials[0].workload.block_unit == EXACT]
    found: list[Trial] = []
    for name in sorted(exact, key=lambda name: machine.total(by_workload[name])):
        role = _roles(now.study)
        found += sorted(
            by_workload.pop(name), key=lambda t: (role[t.arms[0].name] == "arm", machine.share(t))
        )
    questions = [_question(now, machine, workload, by_workload) for workload in now.study.workloads]
    asked = [question for question in questions if question is not None]
    found += _decisive(asked, machine, now.room - machine.total(found))
    waiting = {
        (q.workload, arm) for q in asked for arm in (q.every if q.first else [arm for arm, _ in q.arms])
    }
    rest = [trial for trials in by_workload.values() for trial in trials]
    more = [t for t in rest if not any((t.workload.name, arm.name) in waiting for arm in t.arms)]
    found += _by_width(now, machine, more)
    found += _decisive(asked, machine, math.inf)
    return list({trial.id: trial for trial in (*found, *rest)}.values())


def chosen(now: Standing, machine: Machine, under_way: Sequence[tuple[Trial, float]]) -> Trial | None:
    """The first of the ranked trials that is forecast to end in time; None where none is.

    Args:
        now: Where the run stands.
        machine: What runs trials.
        under_way: Trials under way, each with the seconds it takes still.
    """
    busy = sum(left / (1 if is_alone(trial) else machine.jobs) for trial, left in under_way)
    for trial in ranked(replace(now, room=now.room - busy), machine):
        beside = machine.jobs > len(under_way) and not any(
            is_alone(trial) or is_alone(other) or other.wave != trial.wave for other, _ in under_way
        )
        wait = 0.0 if beside else max((left for _, left in under_way), default=0.0)
        if wait + machine.seconds(trial) <= now.room:
            return trial
    return None


def _decisive(questions: Sequence[_Question], machine: Machine, room: float) -> Iterator[Trial]:
    """What brings contrasts to a verdict in the time there is, least seconds a contrast first."""
    while True:
        best = [(*question.best(machine, room), place) for place, question in enumerate(questions)]
        least, count, spent, place = min(best, default=(math.inf, 0, 0.0, 0))
        if math.isinf(least):
            return
        yield from questions[place].taken(count)
        room -= spent


def _roles(study: ResolvedStudy) -> dict[str, str]:
    return {arm.name: arm.role for arm in study.arms}


def _question(
    now: Standing, machine: Machine, workload: Workload, by_workload: Mapping[str, list[Trial]]
) -> _Question | None:
    """What a workload lacks; None where it gives no verdict, or lacks nothing that is known yet."""
    if workload.belongs_to("rate_search") or workload.belongs_to("spot_check"):
        return None
    trials = by_workload.get(workload.name, [])
    tried = [t for one in searches(now.study, workload) for t in by_workload.get(one.name, [])]
    if tried:
        return _tuned(now, machine, workload, tried)
    if not trials or trials[0].workload.block_unit == EXACT:
        return None
    role = _roles(now.study)
    if any(len(trial.arms) > 1 for trial in trials):
        have = now.have.get((workload.name, now.study.baseline), 0)
        lacking = max(0, min(MINIMUM_BLOCKS, workload.replicates) - have)
        ahead = max(0, lacking - len(trials)) * machine.share(trials[0])
        arms = _all_arms(now, workload) if lacking else []
        return _Question(workload.name, workload.variants, trials[:lacking], arms, ahead)
    of_arm: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        of_arm[trial.arms[0].name].append(trial)
    lacks = {arm: _lacking(now, workload, arm, of_arm[arm]) for arm in workload.variants}
    first = [
        t for kind in ("baseline", "control") for arm, ts in lacks.items() if role[arm] == kind for t in ts
    ]
    costs = {arm: machine.total(ts) for arm, ts in lacks.items() if role[arm] == "arm" and (ts or first)}
    cheapest = sorted(costs, key=costs.__getitem__) or [now.study.baseline]
    return _Question(workload.name, workload.variants, first, [(arm, lacks[arm]) for arm in cheapest])


def _lacking(now: Standing, workload: Workload, arm: str, mine: Sequence[Trial]) -> Sequence[Trial]:
    """Of an arm's open trials up to as many blocks as a verdict needs; one that must match needs but few."""
    enough = min(MINIMUM_BLOCKS, workload.planned(arm))
    return mine[: max(0, enough - now.have.get((workload.name, arm), 0))]


def _tuned(now: Standing, machine: Machine, workload: Workload, tried: Sequence[Trial]) -> _Question:
    """Arms train at their own rates once all rates were tried: one package, known in part."""
    each = {trial.arms[0].name: machine.share(trial) for trial in tried}
    usual = max(each.values())
    ahead = sum(
        min(MINIMUM_BLOCKS, workload.planned(arm)) * each.get(arm, usual) for arm in workload.variants
    )
    return _Question(workload.name, workload.variants, list(tried), _all_arms(now, workload), ahead)


def _all_arms(now: Standing, workload: Workload) -> list[tuple[str, Sequence[Trial]]]:
    """The contrasts that come to a verdict together."""
    role = _roles(now.study)
    arms = [arm for arm in workload.variants if role[arm] == "arm"]
    return [(arm, []) for arm in arms or [now.study.baseline]]


def _by_width(now: Standing, machine: Machine, trials: Sequence[Trial]) -> list[Trial]:
    """What was declared beyond the fewest, by what it can still decide."""
    blocks: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        for arm in trial.arms:
            blocks[trial.workload.name, arm.name].append(trial)
    keys = {key: _worth(now, machine, key, mine) for key, mine in blocks.items()}
    place = {trial.id: number for number, trial in enumerate(trials)}

    def turn(trial: Trial) -> tuple[int, float, str, int]:
        name = trial.workload.name
        arms = [arm.name for arm in trial.arms]
        if now.study.baseline in arms:  # all arms of the workload lean on it
            arms = [*arms, *(arm for where, arm in keys if where == name)]
        return (*min(keys.get((name, arm), (3, 0.0)) for arm in arms), name, place[trial.id])

    return sorted(trials, key=turn)


def _worth(
    now: Standing, machine: Machine, key: tuple[str, str], trials: Sequence[Trial]
) -> tuple[int, float]:
    """0: the blocks left can make it narrow enough, by cost; 1: too wide, least first; 2: narrow already."""
    width, have = now.widths.get(key), now.have.get(key, 0)
    if width is None:
        return (3, 0.0)
    if width <= 1:
        return (2, -width)
    needed = math.ceil(have * (width**2 - 1))  # an interval shrinks with the root of the blocks
    cost = needed * machine.share(trials[0])
    return (0, cost) if needed <= len(trials) and cost <= now.room else (1, width)

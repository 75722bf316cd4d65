"""A run within a budget: which of a backlog's tasks is next, as long as there is time for one."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from results.records.record import Record, occasion_of
from results.records.resolved_study import Workload
from results.verdicts.statistics import MINIMUM_BLOCKS
from results.verdicts.widths import widths
from runners.budget import Budget, report_seconds
from runners.forecast import Forecast
from runners.launchers import Event, Notify, Task
from runners.plan import Plan
from runners.priorities import Counts, Machine, Standing, Widths, chosen, ranked
from runners.trial import Trial

_LOOKING_SHARE = 0.05
"""Looking at the widths of intervals may take this share of a run."""


class Ration:
    """Hands out tasks one by one, the most decisive first, none that is forecast to end too late.

    Attributes:
        until: When measuring ends, on the clock of `time.monotonic`; what is left of the budget is for the
            report.
    """

    def __init__(
        self, planned: Plan, records: Sequence[Record], tasks: Sequence[Task], jobs: int, budget: Budget
    ) -> None:
        """Begin.

        Args:
            planned: The complete plan.
            records: Of this environment, those of trials that are planned.
            tasks: What is left.
            jobs: Untimed trials side by side.
            budget: The time there is, report included.
        """
        self._given = 0
        self._study, self._jobs, self._budget = planned.study, jobs, budget
        self._records = list(records)
        self._forecast = Forecast(planned.trials, records)
        self._under_way: dict[str, tuple[Trial, float]] = {}
        self._widths: Widths = {}
        self._looked_at, self._look_again = -1, 0.0
        self.until = budget.end - self._report_seconds([task.trial for task in tasks])

    def goes_on(self) -> bool:
        """Whether anything was handed out since this was last asked: what has come to be wanted may fit."""
        went_on, self._given = self._given > 0, 0
        return went_on and time.monotonic() < self.until

    @property
    def under_way(self) -> frozenset[str]:
        """Ids of trials that were handed out and have not ended."""
        return frozenset(self._under_way)

    def chosen(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Those of the tasks that there is time for, each when it is asked for.

        It ends early where a workload has come so far that it is known what else of it is wanted.
        """
        left = {task.trial.id: task for task in tasks}
        unfolding = {task.trial.workload.name for task in tasks if _unfolds(task.trial.workload)}
        while left and unfolding <= self._going_on(left.values()):
            trial = self._next([task.trial for task in left.values()])
            if trial is None:
                return
            self._given += 1
            self._under_way[trial.id] = (trial, time.monotonic())
            yield left.pop(trial.id)

    def _going_on(self, tasks: Iterable[Task]) -> set[str]:
        """Workloads of which anything is left or under way."""
        under_way = (trial for trial, _ in self._under_way.values())
        return {trial.workload.name for trial in (*(task.trial for task in tasks), *under_way)}

    def noting(self, notify: Notify) -> Notify:
        """Takes in what comes and passes it on."""

        def take(event: Event) -> None:
            if event.record is not None:
                self._ended(event.record)
            for trial in event.dropped:
                self._under_way.pop(trial.id, None)
            notify(event)

        return take

    def seconds(self, tasks: Sequence[Task]) -> float:
        """Forecast of tasks, all of them run on this machine."""
        return self._machine.total([task.trial for task in tasks])

    @property
    def _machine(self) -> Machine:
        return Machine(self._forecast.seconds, self._jobs)

    def _ended(self, record: Record) -> None:
        self._records.append(record)
        trial, _ = self._under_way.pop(record.trial, (None, 0.0))
        if trial is not None:
            self._forecast.learn(trial, record)

    def _next(self, trials: Sequence[Trial]) -> Trial | None:
        now = time.monotonic()
        taken = [
            (trial, max(0.0, since + self._forecast.seconds(trial) - now))
            for trial, since in self._under_way.values()
        ]
        have = self._have(trials)
        self._look(now, have)
        standing = Standing(self._study, trials, have, self.until - now, self._widths)
        return chosen(standing, self._machine, taken)

    def _report_seconds(self, trials: Sequence[Trial]) -> float:
        """For a report of what is on record and what there is time for."""
        room = self._budget.end - time.monotonic()
        standing = Standing(self._study, trials, self._have(trials), room)
        ends = itertools.accumulate(map(self._machine.share, order := ranked(standing, self._machine)))
        more = [trial for trial, end in zip(order, ends, strict=True) if end <= room]
        contrasts = {
            (record.workload, outcome.arm) for record in self._records for outcome in record.outcomes
        }
        contrasts |= {(trial.workload.name, arm.name) for trial in more for arm in trial.arms}
        return report_seconds(len(contrasts), len(self._records) + len(more), self._budget.pace)

    def _have(self, trials: Sequence[Trial]) -> dict[tuple[str, str], int]:
        """Blocks by workload and arm, on the occasion that is under way."""
        occasions = {trial.workload.name: occasion_of(trial.block) for trial in trials}
        again = {trial.id for trial in trials}
        blocks: dict[tuple[str, str], set[str]] = defaultdict(set)
        for record in self._records:
            if record.occasion == occasions.get(record.workload) and record.trial not in again:
                for outcome in record.outcomes:
                    blocks[record.workload, outcome.arm].add(record.block)
        for trial, _ in self._under_way.values():
            for arm in trial.arms:
                blocks[trial.workload.name, arm.name].add(trial.block)
        return {key: len(names) for key, names in blocks.items()}

    def _look(self, now: float, have: Counts) -> None:
        """Look at how wide intervals are where that has changed, and not so often that it takes long.

        Not while anything is timed: nothing else of the run works meanwhile.
        """
        speaks = max(have.values(), default=0) >= MINIMUM_BLOCKS
        timing = any(trial.timed for trial, _ in self._under_way.values())
        if now < self._look_again or self._looked_at == len(self._records) or timing or not speaks:
            return
        self._looked_at, self._widths = len(self._records), widths(self._study, self._records)
        end = time.monotonic()
        self._look_again = end + (end - now) / _LOOKING_SHARE


def _unfolds(workload: Workload) -> bool:
    """Whether its records decide what else is wanted: more blocks, or trainings at an arm's own rate."""
    return workload.stopping is not None or workload.belongs_to("rate_search") is not None

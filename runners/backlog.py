"""What is left of a plan in a run directory, asked again whenever records have come in."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from results.records import parts
from results.records.believe import disbeliefs
from results.records.directory import Stop, current, latest, read_plans, read_records, write_plan
from results.records.record import FINAL_STATUSES, Record, occasion_of
from results.tables.format import count
from results.verdicts.stopping import Failures
from runners import occasions
from runners.errors import BadInput
from runners.launchers import Event, Notify, Task
from runners.plan import Plan
from runners.shards import Shard, share
from runners.stages import Lost, is_worth_asking, lost_arms
from runners.trial import Trial


class Backlog:
    """Tasks of one run: each trial once, so that one that is killed every time is left to the next run."""

    def __init__(
        self,
        planned: Plan,
        directory: Path,
        environment: str,
        *,
        retry_failed: bool,
        again: bool = False,
        shard: Shard | None = None,
    ) -> None:
        """Begin with all of a plan, on each of the occasions that are on record.

        Args:
            planned: The complete plan.
            directory: The run directory.
            environment: Id of the environment.
            retry_failed: Whether trials that failed are run again; then an arm is given up only for what
                this run sees of it.
            again: Whether another occasion is added.
            shard: The share of the trials that is run here; None for all.

        Raises:
            BadInput: Another occasion is asked for before the last one is over.
        """
        self._planned, self._directory, self._environment = planned, directory, environment
        self._retry_failed, self._shard = retry_failed, shard
        self._tried: set[str] = set()
        self._disbelief = disbeliefs(planned.study)
        self._records: dict[str, Record] = {}
        self._failures = Failures()
        self._read()
        self._occasions = occasions.begun(planned, self._records.values(), environment)
        if retry_failed:
            self._failures = Failures()  # what this run sees alone counts
        if again:
            self._check_last_occasion()
            self._occasions += 1

    def _read(self) -> None:
        """Take in what is on record and was not seen yet: each record is read once a run."""
        for record in read_records(self._directory, self._planned.study, self._records)[0]:
            self._take(record)

    def _take(self, record: Record) -> None:
        self._records[record.file_name] = record
        self._failures.add(record)

    def _check_last_occasion(self) -> None:
        """Refuse another occasion before each trial of the last one was tried."""
        last, records = self._occasions - 1, self._records.values()
        tried = {record.trial for record in records if record.environment == self._environment}
        timed = [t for t in self._mine(self._wanted(last, self._lost)) if occasions.varies(t)]
        if not timed:
            where = f"shard {self._shard} of study" if self._shard else "study"
            raise BadInput(f"--again: {where} {self._planned.study.name} times nothing; nothing else varies")
        left = [trial for trial in timed if trial.id not in tried]
        if left:
            raise BadInput(
                f"--again: {self._directory}: {len(left)} of {count(len(timed), 'timed trial')} to run; "
                "finish them first, by the same command without --again"
            )

    def left(self) -> tuple[list[Task], int]:
        """What is to be run now, and of how many trials: what a stopping rule asks for joins in its time.

        What is timed is run on the last occasion alone: what an earlier one lacks, it cannot get any more.
        """
        self._read()
        lost = self._lost
        trials = [trial for occasion in range(self._occasions) for trial in self._wanted(occasion, lost)]
        write_plan(self._directory, self._environment, [trial.id for trial in trials])
        tried = attempts(self._directory, self._environment)
        mine = self._mine(trials)
        open_ = [trial for trial in mine if not occasions.varies(trial) or self._is_on_last(trial)]
        tasks = remaining(open_, self._records.values(), self._environment, self._retry_failed, tried)
        fresh = [task for task in tasks if task.trial.id not in self._tried]
        return [task for task in fresh if is_worth_asking(task.trial, lost)], len(mine)

    def _wanted(self, occasion: int, lost: Lost) -> list[Trial]:
        """What an occasion asks for; where others measure too, what needs no record of theirs."""
        known, given_up = (self._records.values(), lost) if self._shard is None else ((), frozenset())
        return occasions.wanted_on(self._planned, known, self._environment, occasion, given_up)

    def _mine(self, trials: list[Trial]) -> list[Trial]:
        shard, workloads = self._shard, self._planned.study.workloads
        return trials if shard is None else share(shard, trials, workloads)

    def records(self) -> list[Record]:
        """What is on record of the trials that are wanted, in this environment."""
        self._read()
        found = current(self._records.values(), read_plans(self._directory))
        return [record for record in found if record.environment == self._environment]

    def cut_short(self, under_way: Collection[str], stop: Callable[[list[Task]], Stop]) -> None:
        """Write down that a budget ended the run, if anything is left.

        Args:
            under_way: Ids of trials that were ended with it; they are left, too.
            stop: What is written, from the tasks that are left.
        """
        self._tried -= set(under_way)
        tasks, _ = self.left()
        if tasks:
            plan = read_plans(self._directory)[self._environment]
            write_plan(self._directory, self._environment, plan, stop(tasks))

    def _is_on_last(self, trial: Trial) -> bool:
        return occasion_of(trial.block) == self._occasions - 1

    def pull(self, tasks: Iterable[Task], notify: Notify) -> Iterator[Task]:
        """The tasks one by one, but for those that nobody asks for any more when their turn comes."""
        for task in tasks:
            self._tried.add(task.trial.id)
            if is_worth_asking(task.trial, self._lost):
                yield task
            else:
                notify(Event(None, dropped=(task.trial,)))

    def noting(self, notify: Notify) -> Notify:
        """Takes in what comes and passes it on."""

        def take(event: Event) -> None:
            if event.record is not None and self._disbelief(event.record) is None:
                self._take(event.record)
            notify(event)

        return take

    @property
    def _lost(self) -> Lost:
        return lost_arms(self._failures, self._environment)


def remaining(
    trials: Iterable[Trial],
    records: Iterable[Record],
    environment: str,
    retry_failed: bool,
    attempts: Mapping[str, int],
) -> list[Task]:
    """The trials that have no final record in this environment, in the plan's order; a pure function.

    Args:
        trials: Those that are wanted.
        records: What is on record.
        environment: Id of the environment.
        retry_failed: Whether `failed` is not final.
        attempts: The last attempt that has a file, by trial; one that cannot be read is no record, and is
            never written over.
    """
    last = latest(records)
    return [
        Task(trial, attempts.get(trial.id, 0) + 1)
        for trial in trials
        if not _is_over(last.get((trial.id, environment)), retry_failed)
    ]


def _is_over(record: Record | None, retry_failed: bool) -> bool:
    """Whether a trial with that last record is over.

    One that timed several arms and lost some of them counts as failed, not as cut off: the others' figures
    are there, and no finished process is timed again unless that is asked for.
    """
    if record is None:
        return False
    statuses = {outcome.status for outcome in record.outcomes}
    if statuses <= FINAL_STATUSES:
        return True
    return not retry_failed and (statuses <= FINAL_STATUSES | {"failed"} or "ok" in statuses)


def attempts(directory: Path, environment: str) -> dict[str, int]:
    """The last attempt of each trial in an environment, by the names of records alone."""
    found: dict[str, int] = {}
    pattern = re.compile(rf"(.+)-{re.escape(environment)}-(\d{{1,9}})\.json")
    for name in parts.names(directory):
        match = pattern.fullmatch(name)
        if match is not None:
            found[match[1]] = max(found.get(match[1], 0), int(match[2]))
    return found

"""Running what is left of a plan into a run directory."""

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from results.records.directory import latest, read_records, write_plan
from results.records.files import write_json
from results.records.record import FINAL_STATUSES, Record
from results.records.resolved_study import ResolvedStudy, read_study, write_study
from runners import environment
from runners.launchers import local
from runners.launchers.local import Event, Task
from runners.plan import Plan
from runners.stages import wanted
from runners.trial import Trial

Notify = Callable[[Event], None]

_DECLARED = (
    *("question", "architecture", "design", "seed", "factors", "arms", "workloads", "metrics"),
    "budget_seconds",
)


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is done; what it measures is the study's."""

    directory: Path
    device: str
    jobs: int
    retry_failed: bool = False


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def execute(
    planned: Plan, options: Options, display: Callable[[list[Task], int], AbstractContextManager[Notify]]
) -> None:
    """Run what is left of a plan; each trial leaves its record in the run directory.

    Args:
        planned: The complete plan.
        options: How the run is done.
        display: Makes what follows the run, from the tasks that are left and the number of all trials.
    """
    environment_id = _prepare(planned, options)

    def left() -> tuple[list[Task], int]:
        """What is to be run now, and of how many: what a stopping rule asks for joins when its time comes."""
        records, _ = read_records(options.directory, planned.study)
        trials = wanted(planned, records, environment_id)
        write_plan(options.directory, environment_id, [trial.id for trial in trials])
        tasks = remaining(trials, records, environment_id, options.retry_failed)
        return [task for task in tasks if task.trial.id not in tried], len(trials)

    tried: set[str] = set()  # each trial once: one that is killed every time is left to the next run
    tasks, count = left()
    with display(tasks, count) as notify:
        while tasks:
            local.run(
                tasks,
                directory=options.directory,
                environment=environment_id,
                jobs=options.jobs,
                notify=notify,
            )
            tried |= {task.trial.id for task in tasks}
            tasks, _ = left()
            if tasks:
                notify(Event(None, (), added=tuple(task.trial for task in tasks)))


def _prepare(planned: Plan, options: Options) -> str:
    """Write the study and the environment, before the first trial; return the environment's id."""
    facts = environment.capture(options.device)
    environment_id = environment.identify(facts)
    options.directory.mkdir(parents=True, exist_ok=True)
    write_study(options.directory, _marked(planned.study, options.directory))
    write_json(options.directory / "environment" / f"{environment_id}.json", facts)
    return environment_id


def _marked(resolved: ResolvedStudy, directory: Path) -> ResolvedStudy:
    """The study, marked exploratory where the directory holds records of another version of it."""
    if not any((directory / "records").glob("*.json")):
        return resolved
    before = read_study(directory)
    changed = [name for name in _DECLARED if getattr(before, name) != getattr(resolved, name)]
    return replace(resolved, exploratory=tuple(dict.fromkeys((*before.exploratory, *changed))))


def remaining(
    trials: Iterable[Trial], records: Iterable[Record], environment_id: str, retry_failed: bool
) -> list[Task]:
    """The trials that have no final record in this environment, in the plan's order; a pure function."""
    last = latest(records)
    tasks = []
    for trial in trials:
        record = last.get((trial.id, environment_id))
        if record is None:
            tasks.append(Task(trial, 1))
        elif not _is_final(record, retry_failed):
            tasks.append(Task(trial, record.attempt + 1))
    return tasks


def _is_final(record: Record, retry_failed: bool) -> bool:
    """Whether a trial is over.

    One that timed several arms and lost some of them counts as failed, not as cut off: the others' figures
    are there, and no finished process is timed again unless that is asked for.
    """
    statuses = {outcome.status for outcome in record.outcomes}
    if statuses <= FINAL_STATUSES:
        return True
    return not retry_failed and (statuses <= FINAL_STATUSES | {"failed"} or "ok" in statuses)


def set_aside(directory: Path) -> Path | None:
    """Move a run directory out of the way, so that nothing measured is lost; return its new place."""
    if not directory.exists():
        return None
    stamp = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S")
    place = directory.with_name(f"{directory.name}.{stamp}")
    count = 1
    while place.exists():
        count += 1
        place = directory.with_name(f"{directory.name}.{stamp}-{count}")
    shutil.move(directory, place)
    return place

"""Running what is left of a plan into a run directory."""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from results.records import parts
from results.records.directory import Stop, own_folder, write_environment
from results.records.resolved_study import write_study
from runners import checkpoints, environment, launchers, printed
from runners.backlog import Backlog
from runners.budget import Budget
from runners.declared import marked
from runners.errors import BadInput
from runners.launchers import Event, Notify, Task
from runners.plan import Plan
from runners.ration import Ration
from runners.run_lock import alone
from runners.shards import Shard

_FOLDERS = ("environment", "plan", "records", printed.FOLDER, checkpoints.FOLDER)


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is done; what it measures is the study's.

    Attributes:
        directory: The run directory.
        device: Where trials run.
        jobs: Untimed trials side by side.
        retry_failed: Whether trials that failed are run again.
        launcher: Name of what runs them.
        again: Whether what is timed is run on another occasion.
        budget: How much time it may take; None for as much as it needs.
        shard: The share of the trials that is run; None for all.
    """

    directory: Path
    device: str
    jobs: int
    retry_failed: bool = False
    launcher: str = "local"
    again: bool = False
    budget: Budget | None = None
    shard: Shard | None = None


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def warn(line: str) -> None:
    """Tell whoever watches."""
    print(f"ablate: {line}", file=sys.stderr, flush=True)


def execute(
    planned: Plan,
    options: Options,
    display: Callable[[list[Task], int], AbstractContextManager[Notify]],
    say: Callable[[str], None] = warn,
) -> None:
    """Run what is left of a plan; each trial leaves its record in the run directory.

    Args:
        planned: The complete plan.
        options: How the run is done.
        display: Makes what follows the run, from the tasks that are left and the number of all trials.
        say: Told that another run is at work in the directory, which is waited for, and what the launcher
            has to say.

    Raises:
        BadInput: There is no such launcher, it cannot run trials, or there is nothing that another occasion
            could be added to.
        StorageError: The run directory takes no more.
    """
    launcher, directory = launchers.get(options.launcher), options.directory
    if options.again and not (directory / "study.json").is_file():
        raise BadInput(f"--again: no run in {directory} yet; run it first, without --again")
    facts = launcher.environment(options.device, say)
    environment_id = environment.identify(facts)
    budget = options.budget
    with alone(directory, say, None if budget is None else budget.end):
        backlog = Backlog(
            planned,
            directory,
            environment_id,
            retry_failed=options.retry_failed,
            again=options.again,
            shard=options.shard,
        )
        _prepare(planned, directory, environment_id, facts)
        checkpoints.sweep(directory)
        tasks, count = backlog.left()
        ration = None
        if budget is not None:
            ration = Ration(planned, backlog.records(), tasks, options.jobs, budget)
        with display(tasks, count) as notify:
            run = partial(launcher.run, directory=directory, environment=environment_id, jobs=options.jobs)
            _work_off(backlog, tasks, run, notify, ration)
        if budget is not None and ration is not None:
            spent, forecast = budget.seconds, ration.seconds
            backlog.cut_short(ration.under_way, lambda left: Stop(spent, forecast(left)))
        parts.compact(directory)
        for name in (printed.FOLDER, checkpoints.FOLDER):
            with suppress(OSError):  # it stays where something was printed, or is to go on
                (directory / name).rmdir()


def _work_off(
    backlog: Backlog, tasks: list[Task], run: Callable[..., None], notify: Notify, ration: Ration | None
) -> None:
    """Run tasks and those that are found to be wanted meanwhile; with a ration, as long as that lasts."""
    known = {task.trial.id for task in tasks}
    told = notify if ration is None else ration.noting(notify)
    while tasks:
        run(
            backlog.pull(tasks if ration is None else ration.chosen(tasks), told),
            notify=backlog.noting(told),
            until=None if ration is None else ration.until,
        )
        tasks, _ = backlog.left()
        added = tuple(task.trial for task in tasks if task.trial.id not in known)
        known |= {trial.id for trial in added}
        if added:
            notify(Event(None, added=added))
        if ration is not None and not ration.goes_on():
            return


def _prepare(planned: Plan, directory: Path, environment_id: str, facts: dict[str, Any]) -> None:
    """Write the study and the environment, before the first trial."""
    for name in _FOLDERS:
        own_folder(directory, name)
    write_study(directory, marked(planned.study, directory))
    write_environment(directory, environment_id, facts)


def set_aside(directory: Path, say: Callable[[str], None] = warn) -> Path | None:
    """Move a run directory out of the way, so that nothing measured is lost; return its new place.

    Args:
        directory: The run directory.
        say: Told that another run is at work in it, which is waited for.
    """
    if not directory.exists():
        return None
    with alone(directory, say):
        stamp = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S")
        place = directory.with_name(f"{directory.name}.{stamp}")
        count = 1
        while place.exists():
            count += 1
            place = directory.with_name(f"{directory.name}.{stamp}-{count}")
        shutil.move(directory, place)
    return place

"""Running what is left of a plan into a run directory."""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from results.records.directory import own_folder, write_environment
from results.records.resolved_study import write_study
from runners import checkpoints, environment, launchers, printed
from runners.backlog import Backlog
from runners.declared import marked
from runners.errors import BadInput
from runners.launchers import Event, Notify, Task
from runners.plan import Plan
from runners.run_lock import alone

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
    """

    directory: Path
    device: str
    jobs: int
    retry_failed: bool = False
    launcher: str = "local"
    again: bool = False


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
    with alone(directory, say):
        backlog = Backlog(
            planned, directory, environment_id, retry_failed=options.retry_failed, again=options.again
        )
        _prepare(planned, directory, environment_id, facts)
        checkpoints.sweep(directory)
        tasks, count = backlog.left()
        with display(tasks, count) as notify:
            while tasks:
                launcher.run(
                    backlog.pull(tasks, notify),
                    directory=directory,
                    environment=environment_id,
                    jobs=options.jobs,
                    notify=backlog.noting(notify),
                )
                tasks, _ = backlog.left()
                if tasks:
                    notify(Event(None, added=tuple(task.trial for task in tasks)))
        for name in (printed.FOLDER, checkpoints.FOLDER):
            with suppress(OSError):  # it stays where something was printed, or is to go on
                (directory / name).rmdir()


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

"""Processes of this machine, forked from a server that has imported PyTorch and run no operator."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from results.records.directory import read_record, write_record
from results.records.record import Record, Status
from runners.execute import execute, make_record
from runners.outcomes import blank
from runners.trial import Trial

REFRESH_SECONDS = 1.0
"""The parent sleeps in between: a display refreshed more often costs the timed child a share of its core."""


@dataclass(frozen=True, slots=True)
class Task:
    """A trial to run, and which try it is."""

    trial: Trial
    attempt: int


@dataclass(frozen=True, slots=True)
class _Running:
    task: Task
    process: BaseProcess
    started: datetime
    start: float


@dataclass(frozen=True, slots=True)
class Event:
    """What the display is told: a record that was written, or (None) that a second has passed.

    `added` are trials that were found to be worth running after all.
    """

    record: Record | None
    running: tuple[Trial, ...]
    added: tuple[Trial, ...] = ()


def run(
    tasks: Sequence[Task],
    *,
    directory: Path,
    environment: str,
    jobs: int,
    notify: Callable[[Event], None],
) -> None:
    """Run tasks, up to `jobs` side by side, a timed one by itself; each leaves a record.

    Args:
        tasks: In order; a wave begins when the one before has ended.
        directory: The run directory.
        environment: Id of the environment.
        jobs: Processes at once.
        notify: Called after each record and once a second.
    """
    context = _context()
    waiting, running = list(tasks), list[_Running]()
    try:
        while waiting or running:
            while waiting and _may_start(waiting[0].trial, running, jobs):
                running.append(_start(context, waiting.pop(0), directory, environment))
            ended = connection.wait([one.process.sentinel for one in running], timeout=REFRESH_SECONDS)
            for one in list(running):
                if one.process.sentinel in ended or _overdue(one):
                    running.remove(one)
                    record = _end(one, directory, environment)
                    notify(Event(record, tuple(other.task.trial for other in running)))
            if not ended:
                notify(Event(None, tuple(one.task.trial for one in running)))
    finally:
        for one in running:  # interrupted: what was under way is run again next time
            one.process.kill()
            one.process.join()


def _context() -> multiprocessing.context.BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["runners.preload"])
    return context


def _may_start(trial: Trial, running: list[_Running], jobs: int) -> bool:
    if not running:
        return True
    if trial.timed or any(one.task.trial.timed for one in running):
        return False
    return len(running) < jobs and trial.wave == running[0].task.trial.wave


def _start(
    context: multiprocessing.context.BaseContext, task: Task, directory: Path, environment: str
) -> _Running:
    process: BaseProcess = context.Process(  # type: ignore[attr-defined]
        target=execute, args=(task.trial.to_json(), str(directory), environment, task.attempt)
    )
    process.start()
    return _Running(task, process, datetime.now(UTC), time.perf_counter())


def limit_seconds(trial: Trial) -> float:
    """How long a trial may take: generous, since forecasts are rough and machines are busy."""
    return 120 + 20 * trial.estimated_seconds


def _overdue(one: _Running) -> bool:
    return time.perf_counter() - one.start > limit_seconds(one.task.trial)


def _end(one: _Running, directory: Path, environment: str) -> Record:
    """The trial's record: its own, or one that says why there is none."""
    overdue = one.process.is_alive() and _overdue(one)
    if overdue:
        one.process.kill()
    one.process.join()
    trial, attempt = one.task.trial, one.task.attempt
    path = directory / "records" / f"{trial.id}-{environment}-{attempt}.json"
    if path.exists():
        return read_record(path)
    status, reason = _cause(one, overdue=overdue)
    outcomes = tuple(replace(blank(arm), status=status, reason=reason) for arm in trial.arms)
    seconds = time.perf_counter() - one.start
    record = make_record(trial, environment, attempt, outcomes, one.started, seconds, {})
    write_record(directory, record)
    return record


def _cause(one: _Running, *, overdue: bool) -> tuple[Status, str]:
    code = one.process.exitcode or 0
    if overdue:
        return "timed_out", f"no result within its limit of {limit_seconds(one.task.trial):.0f} s"
    if code < 0:
        hint = "; a system out of memory sends 9" if code == -9 else ""
        return "killed", f"the process was ended by signal {-code}{hint}"
    return "failed", f"the process ended with exit code {code} and left no record"

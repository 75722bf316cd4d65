"""Processes of this machine, forked from a server that has imported PyTorch and run no operator."""

import math
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import connection, forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from results.records.directory import read_record, write_record
from results.records.files import StorageError
from results.records.record import Record, RecordDetails, Status
from runners import checkpoints, printed
from runners.execute import execute, make_record
from runners.launchers import Event, Launcher, Notify, Task
from runners.outcomes import blank
from runners.run_folder import RunFolder
from runners.trial import Trial

REFRESH_SECONDS = 1.0
"""The parent sleeps in between: a display refreshed more often costs the timed child a share of its core."""


@dataclass(frozen=True, slots=True)
class Running:
    """A trial under way.

    Attributes:
        task: What it is.
        process: Where.
        trouble: Tells that the process could not write its record.
        started: When.
        start: Likewise, by the monotonic clock.
    """

    task: Task
    process: BaseProcess
    trouble: "connection.Connection[Any, Any]"
    started: datetime
    start: float

    @property
    def is_overdue(self) -> bool:
        """Whether it has taken longer than it may."""
        return time.perf_counter() - self.start > limit_seconds(self.task.trial)


def run(
    tasks: Iterable[Task],
    *,
    directory: Path,
    environment: str,
    jobs: int,
    notify: Notify,
    until: float | None = None,
    home: Path | None = None,
) -> None:
    """Run tasks, up to `jobs` side by side, a timed one by itself; see `runners.launchers.Run`.

    Args:
        tasks: See there, as the others.
        directory: Where records and logs are written.
        environment: Id of the environment.
        jobs: Processes at once.
        notify: Called after each record, and about once a second.
        until: When what is under way is ended.
        home: The run directory that checkpoints belong to, where `directory` is a temporary one.
    """
    context = _context()
    waiting, running = iter(tasks), list[Running]()
    upcoming, told = next(waiting, None), time.monotonic()
    with interrupts_noted() as interrupted, _ending_with(running, directory, environment):
        while upcoming or running:
            while upcoming and may_start(upcoming.trial, _trials(running), jobs):
                running.append(_start(context, upcoming, directory, environment, home))
                upcoming = None
                if len(running) < jobs:  # no sooner: it may no longer be wanted when there is room for it
                    upcoming = next(waiting, None)
            left = math.inf if until is None else until - time.monotonic()
            wait = max(0.0, min(REFRESH_SECONDS, left))
            ended = connection.wait([one.process.sentinel for one in running], timeout=wait)
            if interrupted():
                raise KeyboardInterrupt
            if left <= wait and not ended:
                return
            for one in list(running):
                if one.process.sentinel in ended or one.is_overdue:
                    running.remove(one)
                    record = _end(one, directory, environment)
                    notify(Event(record, _trials(running)))
                    upcoming = upcoming or next(waiting, None)
            if time.monotonic() - told >= REFRESH_SECONDS:
                told = time.monotonic()
                for one in running:
                    printed.curb(directory, _log_name(one.task, environment))
                notify(Event(None, _trials(running)))


@contextmanager
def interrupts_noted() -> Iterator[Callable[[], bool]]:
    """Ctrl-C as a note that is read when there is time for it; a second one interrupts at once.

    Raised as an exception between any two instructions, one that falls into a callback of the garbage
    collector is printed and lost, and one between a process's start and our knowing of it leaves it behind.
    """
    heard = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    elsewhere = threading.current_thread() is not threading.main_thread()  # where no signal arrives
    if elsewhere or before == signal.SIG_IGN:  # begun in the background: Ctrl-C is somebody else's
        yield heard.is_set
        return

    def note(number: int, _: object) -> None:
        heard.set()
        signal.signal(number, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield heard.is_set
    finally:
        signal.signal(signal.SIGINT, before)
    if heard.is_set():
        raise KeyboardInterrupt


@contextmanager
def _ending_with(running: Sequence[Running], directory: Path, environment: str) -> Iterator[None]:
    """Whatever ends the run ends what is under way, too: it is run again next time."""
    try:
        yield
    finally:
        for one in running:
            one.process.kill()
            one.process.join()
            printed.finished(directory, _log_name(one.task, environment))


def _trials(running: Sequence[Running]) -> tuple[Trial, ...]:
    return tuple(one.task.trial for one in running)


def _log_name(task: Task, environment: str) -> str:
    return printed.log_name(task.trial.id, environment, task.attempt)


def _context() -> multiprocessing.context.BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["runners.preload"])
    return context


def prepare() -> None:
    """Start the server that trials are forked from, which imports PyTorch while the run is planned."""
    if _context().get_start_method() != "forkserver":
        return
    with _deaf():
        forkserver.ensure_running()


@contextmanager
def _deaf() -> Iterator[None]:
    """A process that is started here never hears Ctrl-C, which would end its imports with a traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def may_start(trial: Trial, running: Sequence[Trial], jobs: int) -> bool:
    """Whether a trial may start beside those that are running.

    A timed one has the machine to itself, and each has an accelerator to itself: what others hold of its
    memory would decide which arms run out of it.
    """
    if not running:
        return True
    if trial.timed or any(other.timed for other in running):
        return False
    if trial.device != "cpu" and any(other.device != "cpu" for other in running):
        return False
    return len(running) < jobs and trial.wave == running[0].wave


def _start(
    context: multiprocessing.context.BaseContext,
    task: Task,
    directory: Path,
    environment: str,
    home: Path | None,
) -> Running:
    trouble, tells = context.Pipe(duplex=False)
    place = (str(directory), environment, task.attempt, None if home is None else str(home))
    process: BaseProcess = context.Process(  # type: ignore[attr-defined]
        target=_execute, args=(tells, task.trial.to_json(), *place)
    )
    process.start()
    tells.close()
    return Running(task, process, trouble, datetime.now(UTC), time.perf_counter())


def _execute(
    tells: "connection.Connection[Any, Any]",
    content: dict[str, Any],
    directory: str,
    environment: str,
    attempt: int,
    home: str | None,
) -> None:
    """What the process does: the trial, and word to the parent where its record found no room."""
    try:
        execute(content, directory, environment, attempt, home)
    except StorageError as error:
        tells.send((error.errno, error.strerror or str(error)))


def limit_seconds(trial: Trial) -> float:
    """How long a trial may take: generous, since forecasts are rough and machines are busy."""
    return 120 + 20 * trial.estimated_seconds


def _end(one: Running, directory: Path, environment: str) -> Record:
    """The trial's record: its own, or one that says why there is none.

    Raises:
        StorageError: The process could not write its own, or this one finds no room either.
    """
    overdue = one.process.is_alive() and one.is_overdue
    if overdue:
        one.process.kill()
    one.process.join()
    log = printed.finished(directory, _log_name(one.task, environment))
    with one.trouble:
        _see_to(one.trouble)
    trial, attempt = one.task.trial, one.task.attempt
    path = directory / "records" / f"{trial.id}-{environment}-{attempt}.json"
    if not path.exists():
        status, reason = _cause(one, overdue=overdue)
        outcomes = tuple(replace(blank(arm), status=status, reason=reason) for arm in trial.arms)
        details: RecordDetails = {} if log is None else {"log": log}
        seconds = time.perf_counter() - one.start
        record = make_record(trial, environment, attempt, outcomes, one.started, seconds, details)
        with suppress(FileExistsError):  # of another run at work in the same directory: that one counts
            write_record(directory, record)
    record = read_record(path)
    checkpoints.discard(record, RunFolder(directory, environment))
    return record


def _see_to(trouble: "connection.Connection[Any, Any]") -> None:
    """Raise what a process that has ended told, if anything."""
    with suppress(EOFError):
        if trouble.poll():  # not waited for: a process of its own may live on and hold the other end
            raise StorageError(*trouble.recv())


def _cause(one: Running, *, overdue: bool) -> tuple[Status, str]:
    code = one.process.exitcode or 0
    if overdue:
        return "timed_out", f"no result within its limit of {limit_seconds(one.task.trial):.0f} s"
    if code < 0:
        hint = "; a system out of memory sends 9" if code == -9 else ""
        return "killed", f"the process was ended by signal {-code}{hint}"
    return "failed", f"the process ended with exit code {code} and left no record"


LAUNCHER = Launcher(
    name="local", summary="processes of this machine, timed ones one at a time", run=run, prepare=prepare
)

"""What every registered launcher keeps to, newcomers included: each trial leaves a record, come what may."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from results.records.directory import read_record
from results.records.record import Record
from runners import launchers
from runners.launchers import Event, Launcher, Task
from tests.runners.scripted_runs import plan_of, write_study

LAUNCHERS = launchers.launchers()
each_launcher = pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)
each_in_time = pytest.mark.parametrize(
    "launcher",
    [
        pytest.param(launcher, id=name, marks=[] if name == "local" else [pytest.mark.slow])
        for name, launcher in LAUNCHERS.items()
    ],
)


@each_launcher
def test_a_launcher_says_what_it_is(launcher: Launcher) -> None:
    assert launcher.name
    assert len(launcher.summary.splitlines()) == 1


@each_launcher
def test_every_task_leaves_a_record_and_is_told_of_once(launcher: Launcher, tmp_path: Path) -> None:
    acts = ["well", "print", "fail", "print_and_die", "print_and_exit", "system_exit"]
    tasks = [Task(trial, 3) for trial in plan_of(write_study(tmp_path, acts)).trials]
    told: list[Event] = []
    launcher.run(iter(tasks), directory=tmp_path, environment="here", jobs=2, notify=told.append)
    ended = [event.record for event in told if event.record is not None]
    files = {path.name: read_record(path) for path in (tmp_path / "records").iterdir()}
    assert {record.file_name: record for record in ended} == files
    assert sorted(files) == sorted(f"{task.trial.id}-here-3.json" for task in tasks)
    assert len(ended) == len(tasks)
    statuses = {record.outcomes[0].arm: record.status for record in ended}
    assert statuses == {
        "baseline": "ok",
        "act=print": "ok",
        "act=fail": "failed",
        "act=print_and_die": "killed",
        "act=print_and_exit": "failed",
        "act=system_exit": "failed",
    }


@each_launcher
def test_a_task_is_asked_for_only_when_there_is_room_for_it(launcher: Launcher, tmp_path: Path) -> None:
    """So that one that is not worth it any more is never begun."""
    tasks = [Task(trial, 1) for trial in plan_of(write_study(tmp_path, ["well", "fail"], blocks=2)).trials]
    ended: list[Record] = []
    begun: list[int] = []

    def one_by_one() -> Iterator[Task]:
        for task in tasks:
            begun.append(len(ended))
            yield task

    def notify(event: Event) -> None:
        if event.record is not None:
            ended.append(event.record)

    launcher.run(one_by_one(), directory=tmp_path, environment="here", jobs=1, notify=notify)
    assert begun == [0, 1, 2, 3]


@each_launcher
def test_an_interrupt_that_nobody_let_through_ends_the_run_all_the_same(
    launcher: Launcher, tmp_path: Path, interruptible: None
) -> None:
    """Python raises it wherever it is; in a callback of the garbage collector it is printed and lost."""
    tasks = [Task(trial, 1) for trial in plan_of(write_study(tmp_path, ["well", "print"], blocks=6)).trials]
    ended: list[Record] = []

    def swallow(event: Event) -> None:
        if event.record is not None:
            ended.append(event.record)
        if len(ended) == 1:
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.1)

    before = signal.getsignal(signal.SIGINT)
    assert before is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        launcher.run(iter(tasks), directory=tmp_path, environment="here", jobs=1, notify=swallow)
    assert len(ended) < len(tasks)
    assert signal.getsignal(signal.SIGINT) is before


@each_in_time
def test_what_is_under_way_when_the_time_is_over_is_ended_and_leaves_no_record(
    launcher: Launcher, tmp_path: Path
) -> None:
    def run(folder: Path, seconds: float, until: float | None) -> list[Record]:
        folder.mkdir()
        trials = plan_of(write_study(folder, ["well", "print"], seconds=seconds)).trials
        told: list[Event] = []
        tasks = (Task(trial, 1) for trial in trials)
        launcher.run(tasks, directory=folder, environment="here", jobs=2, notify=told.append, until=until)
        return [event.record for event in told if event.record is not None]

    assert len(run(tmp_path / "first", 0.0, None)) == 2  # and what has to be started once is there
    start = time.monotonic()
    assert run(tmp_path / "long", 300.0, start + 3.0) == []
    assert 3.0 <= time.monotonic() - start < 60.0
    assert not list((tmp_path / "long" / "records").glob("*"))
    assert len(run(tmp_path / "short", 0.0, time.monotonic() + 60.0)) == 2


@each_launcher
def test_no_task_is_no_work(launcher: Launcher, tmp_path: Path) -> None:
    launcher.run(iter([]), directory=tmp_path, environment="here", jobs=1, notify=lambda event: None)
    assert list(tmp_path.iterdir()) == []

"""The lock of a run directory: held by one at a time, where the system has such locks at all."""

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from runners.errors import BadInput
from runners.run import set_aside
from runners.run_lock import alone

SECONDS = 10.0


class Waiting(threading.Thread):
    """Someone else who wants the directory, and does something in it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(daemon=True)
        self.directory, self.told = directory, list[str]()
        self.asked = threading.Event()
        self.start()

    def say(self, line: str) -> None:
        self.told.append(line)
        self.asked.set()

    def run(self) -> None:
        with alone(self.directory, self.say):
            (self.directory / "mine").touch()


def test_the_second_waits_is_told_who_is_there_and_goes_on(tmp_path: Path) -> None:
    with alone(tmp_path, pytest.fail):
        other = Waiting(tmp_path)
        assert other.asked.wait(SECONDS)
        assert not (tmp_path / "mine").exists()
    other.join(SECONDS)
    assert (tmp_path / "mine").exists()
    (line,) = other.told
    assert line.startswith(f"another run (process {os.getpid()}) is at work in {tmp_path}; waiting")


def test_a_directory_that_nobody_is_at_work_in_is_free_whatever_was_there_before(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("12345")
    for _ in range(2):
        with alone(tmp_path, pytest.fail):
            assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_a_directory_is_not_set_aside_under_the_feet_of_a_run(tmp_path: Path) -> None:
    directory, asked, moved = tmp_path / "run", threading.Event(), list[Path | None]()

    def move() -> None:
        moved.append(set_aside(directory, lambda line: asked.set()))

    with alone(directory, pytest.fail):
        other = threading.Thread(target=move, daemon=True)
        other.start()
        assert asked.wait(SECONDS)
        (directory / "mine").touch()
    other.join(SECONDS)
    (place,) = moved
    assert place is not None
    assert (place / "mine").exists()
    assert not directory.exists()


def test_who_waited_for_a_directory_that_was_set_aside_meanwhile_works_in_a_new_one(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    with alone(directory, pytest.fail):
        other = Waiting(directory)
        assert other.asked.wait(SECONDS)
        directory.rename(tmp_path / "aside")
    other.join(SECONDS)
    assert (directory / "mine").exists()
    assert (directory / ".lock").exists()
    assert not (tmp_path / "aside" / "mine").exists()


def test_a_system_or_a_file_system_without_locks_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    for name, replacement in (("fcntl.flock", refuse), ("fcntl", None)):
        with monkeypatch.context() as patch:
            patch.setattr(f"runners.run_lock.{name}", replacement)
            with alone(tmp_path, pytest.fail), alone(tmp_path, pytest.fail):
                pass


def test_a_run_with_a_budget_waits_no_longer_than_that(tmp_path: Path) -> None:
    told: list[str] = []
    start = time.monotonic()
    with alone(tmp_path, pytest.fail), pytest.raises(BadInput, match="--budget: another run was at work"):
        alone(tmp_path, told.append, start + 0.5).__enter__()
    assert 0.5 <= time.monotonic() - start < SECONDS
    assert len(told) == 1
    with alone(tmp_path, pytest.fail, start):
        pass  # it is free: nothing is waited for

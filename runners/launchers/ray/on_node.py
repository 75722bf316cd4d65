"""What is done on a node: it says what it is, and runs a trial as the local launcher does."""

import hashlib
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from runners import printed, run_lock
from runners.errors import BadInput
from runners.launchers import Task, local
from runners.trial import trial_from_json

PREFIX = "ablate-trial-"
"""Of the temporary directories that trials run in."""
THREADS = "OMP_NUM_THREADS"
"""Ray sets it to the CPUs a task asks for; on nodes it is made what it is here, as for local trials."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node says of itself: its host, its environment, and a hash of its copy of the suite."""

    host: str
    facts: dict[str, Any]
    sources: str


def look(device: str) -> Seen:
    """On a node: what it is."""
    from runners import environment

    boot = Path("/proc/sys/kernel/random/boot_id")  # the same in all containers of a machine
    host = boot.read_text().strip() if boot.is_file() else os.uname().nodename
    return Seen(host, environment.capture(device), sources())


@cache
def sources() -> str:
    """A hash of the code that trials run through: another one would measure something else by the same id."""
    packages = [Path(__file__).parents[2], Path(importlib.import_module("ablations").__file__ or "").parent]
    return digest(path for package in packages for path in package.rglob("*.py"))


def digest(files: Iterable[Path]) -> str:
    """A hash of what files say, wherever they lie."""
    hashes = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def perform(
    content: dict[str, Any],
    attempt: int,
    environment: str,
    run: tuple[str, int | None],
    threads: str | None,
    plugins: str,
) -> tuple[str, bytes | None]:
    """On a node: run a trial in a directory of its own; return its record's JSON and what it printed."""
    trial = trial_from_json(content)
    if digest(map(Path, trial.plugins)) != plugins:
        raise BadInput(f"plugins differ on {os.uname().nodename}: {', '.join(trial.plugins)}")
    os.environ.pop(THREADS, None)
    if threads is not None:
        os.environ[THREADS] = threads
    # multiprocessing has a trial's process import what its parent was started as, which is Ray.
    sys.modules["__main__"] = ModuleType("__main__")
    there = Path(run[0])
    with _own_directory() as directory:
        local.run(
            [Task(trial, attempt)],
            directory=directory,
            environment=environment,
            jobs=1,
            notify=lambda _: None,
            home=there if run[1] is not None and identity(there) == run else directory,
        )
        (path,) = (directory / "records").iterdir()
        log = directory / printed.log_name(trial.id, environment, attempt)
        return path.read_text("utf-8"), log.read_bytes() if log.is_file() else None


@contextmanager
def _own_directory() -> Iterator[Path]:
    """A temporary directory; what workers that were ended left behind is removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (left / run_lock.NAME).open("r+") as file:
            run_lock.lock(file, _in_use)
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, run_lock.alone(Path(name), lambda _: None):
        yield Path(name)


def _in_use() -> None:
    raise BlockingIOError


def identity(directory: Path) -> tuple[str, int | None]:
    """What shows on another machine whether a directory is the same one there: its path and its inode."""
    with suppress(OSError):
        return str(directory.resolve()), directory.stat().st_ino
    return str(directory), None

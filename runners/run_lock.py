"""One run at a time in a directory: an advisory lock that the system takes back when its holder dies."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # no POSIX system
    fcntl = None  # type: ignore[assignment]

from runners.errors import BadInput

NAME = ".lock"
_TRY_AGAIN_SECONDS = 0.2


@contextmanager
def alone(directory: Path, say: Callable[[str], None], until: float | None = None) -> Iterator[None]:
    """Wait until no other run is at work in a directory, and keep the next one waiting.

    Where the system or the file system knows no locks nothing happens: records never overwrite one another,
    so that two runs at once waste time and lose nothing.

    Args:
        directory: The run directory, made if there is none.
        say: Told once, in a line, that there is another one.
        until: How long it is waited for, on the clock of `time.monotonic`; None for as long as it takes.

    Raises:
        BadInput: The other one was at work until then.
    """
    with _locked(directory, say, until) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _locked(directory: Path, say: Callable[[str], None], until: float | None) -> TextIO:
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / NAME).open("a+", encoding="ascii")
        if not lock(file, lambda: say(_whose(directory)), until):
            file.close()
            raise BadInput(f"--budget: another run was at work in {directory} all the time; nothing was run")
        if _is_at(file, directory / NAME):
            return file
        file.close()  # while it was waited for, the directory was set aside


def _is_at(file: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def lock(file: TextIO, wait: Callable[[], None], until: float | None = None) -> bool:
    """Have a file to oneself until it is closed; `wait` is called where another process has it.

    Where the system or the file system knows no locks nothing happens.

    Returns:
        Whether one has it: not where another process had it until the time given.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wait()
    except OSError:
        return True  # a file system without locks
    else:
        return True
    if until is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return True
    while time.monotonic() < until:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_TRY_AGAIN_SECONDS)
    return False


def _whose(directory: Path) -> str:
    process = (directory / NAME).read_text(encoding="ascii")
    who = f"another run (process {process})" if process.isdigit() else "another run"
    return f"{who} is at work in {directory}; waiting until it ends, then going on with what is left"

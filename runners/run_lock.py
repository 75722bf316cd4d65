"""One run at a time in a directory: an advisory lock that the system takes back when its holder dies."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # no POSIX system
    fcntl = None  # type: ignore[assignment]

NAME = ".lock"


@contextmanager
def alone(directory: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other run is at work in a directory, and keep the next one waiting.

    Where the system or the file system knows no locks nothing happens: records never overwrite one another,
    so that two runs at once waste time and lose nothing.

    Args:
        directory: The run directory, made if there is none.
        say: Told once, in a line, that there is another one.
    """
    with _locked(directory, say) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _locked(directory: Path, say: Callable[[str], None]) -> TextIO:
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / NAME).open("a+", encoding="ascii")
        lock(file, lambda: say(_whose(directory)))
        if _is_at(file, directory / NAME):
            return file
        file.close()  # while it was waited for, the directory was set aside


def _is_at(file: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def lock(file: TextIO, wait: Callable[[], None]) -> None:
    """Have a file to oneself until it is closed; `wait` is called where another process has it.

    Where the system or the file system knows no locks nothing happens.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wait()
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return  # a file system without locks


def _whose(directory: Path) -> str:
    process = (directory / NAME).read_text(encoding="ascii")
    who = f"another run (process {process})" if process.isdigit() else "another run"
    return f"{who} is at work in {directory}; waiting until it ends, then going on with what is left"

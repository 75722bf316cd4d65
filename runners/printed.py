"""What a trial prints: kept beside the records instead of on the terminal, and never more than a little.

File descriptors are turned, not Python's streams, so that what libraries and processes of its own print is
there too. A file takes it, not a pipe: nobody has to read along, whoever is killed leaves what was printed,
and a trial that prints nothing has nothing done to it.
"""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path

from results.records.directory import own_folder
from results.records.files import storage_error

FOLDER = "logs"
MOST_BYTES = 2**16
"""Of a log: the first part, a line that says how much was left out, and the last part."""
_HEAD_BYTES = MOST_BYTES // 2
_LEFT_OUT = "\n[... %012d bytes left out ...]\n"
_LINE_BYTES = len(_LEFT_OUT % 0)
_TAIL_BYTES = MOST_BYTES - _HEAD_BYTES - _LINE_BYTES
_FAR = 16
"""How many times over a log may grow while its trial is at work."""


def log_name(trial: str, environment: str, attempt: int) -> str:
    """The log's path within the run directory."""
    return f"{FOLDER}/{trial}-{environment}-{attempt}.txt"


def keep(run: Path, name: str) -> None:
    """Send what this process and its children print into a file, from here to its end.

    Args:
        run: The run directory.
        name: The file's path in it; of an earlier process of that name nothing is kept.

    Raises:
        StorageError: The file cannot be made.
    """
    own_folder(run, FOLDER)
    path = run / name
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
    except OSError as error:
        raise storage_error(path, error) from error
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
        if hasattr(stream, "reconfigure"):  # a process that is killed leaves its last lines
            stream.reconfigure(line_buffering=True)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    os.close(file)


def anything(run: Path, name: str) -> bool:
    """Whether this process has printed anything."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed by the trial, or nowhere to go
            stream.flush()
    try:
        return (run / name).stat().st_size > 0
    except OSError:
        return False


def finished(run: Path, name: str) -> str | None:
    """The log of a process that has ended, cut to its bounds; None, and no file, if nothing was printed."""
    path = run / name
    try:
        if path.stat().st_size == 0:
            path.unlink()
            return None
        shorten(path)
    except OSError:  # nothing to read, or no room to write: the trial itself matters more
        return name if path.exists() else None
    return name


def curb(run: Path, name: str) -> None:
    """Cut the log of a process that is at work, if it has grown far beyond its bounds."""
    with suppress(OSError):
        if (run / name).stat().st_size > _FAR * MOST_BYTES:
            shorten(run / name)


def shorten(path: Path) -> None:
    """Cut a log to its bounds; what was left out before counts on."""
    with path.open("r+b") as file:
        head = file.read(_HEAD_BYTES)
        line = file.read(_LINE_BYTES)
        known = re.fullmatch(rb"\n\[\.\.\. (\d{12}) bytes left out \.\.\.\]\n", line)
        start = len(head) + (len(line) if known else 0)
        rest = file.seek(0, os.SEEK_END) - start
        room = _TAIL_BYTES if known else MOST_BYTES - len(head)
        if rest <= room:
            return
        file.seek(-_TAIL_BYTES, os.SEEK_END)
        tail = file.read()
        left_out = rest - len(tail) + (int(known[1]) if known else 0)
        file.seek(len(head))
        file.write((_LEFT_OUT % left_out).encode() + tail)
        file.truncate()

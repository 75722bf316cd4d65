"""How a command ends: its exit code, and what it says on standard error."""

import errno
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer

from results.records.files import RecordError, StorageError
from results.records.values import clean
from runners.errors import BadInput, written

DONE, SOME_FAILED, BAD_INPUT, REGRESSED, OUR_FAULT, INTERRUPTED = 0, 1, 2, 3, 4, 130


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command can end.

    Attributes:
        code: The exit code.
        meaning: What it says.
        of: The commands that can end so; all where empty.
    """

    code: int
    meaning: str
    of: tuple[str, ...] = ()


ENDINGS = (
    Ending(DONE, "done"),
    Ending(
        SOME_FAILED,
        "done, but some trial or variant failed, and is named",
        ("import", "memory", "merge", "report", "run"),
    ),
    Ending(
        BAD_INPUT, "bad input: a line says what was wrong, what was expected and the nearest that is valid"
    ),
    Ending(
        REGRESSED,
        "a claim came out against `--expect`, or `compare` found that something got worse",
        ("compare", "run"),
    ),
    Ending(OUR_FAULT, "our own fault: a line names the file with the traceback"),
    Ending(INTERRUPTED, "interrupted: the same command goes on where this one stopped"),
)

_OF_THE_SYSTEM = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),
}
"""Errors of a file system or a machine that takes no more, which no line of ours can have caused."""


def ending(command: Callable[[], object], names: Sequence[str]) -> int:
    """Run a command and say what went wrong, if anything did.

    Args:
        command: What is run; it returns an exit code, or anything else where it is done.
        names: Of commands, for whoever names another.

    Returns:
        The exit code of the contract: 0 to 4, or 130.
    """
    try:
        code = command()
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as left:
        if isinstance(left, SystemExit) and not isinstance(left.__context__, BrokenPipeError):
            raise
        return INTERRUPTED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever is left is our fault, and says so
        lines = _mistakes(error, names)
        for line in lines:
            typer.echo(f"ablate: {line}", err=True)
        return BAD_INPUT if lines else _our_fault(error)
    if code == INTERRUPTED:  # typer makes a code of Ctrl-C
        typer.echo("ablate: interrupted; the same command goes on where this one stopped", err=True)
    return code if isinstance(code, int) else DONE


def _mistakes(error: Exception, names: Sequence[str]) -> Sequence[str]:
    """What the user can do something about, a line each; none where it is our fault."""
    match error:
        case typer.TyperException():
            return [clean(_usage(error.format_message(), names))]
        case BadInput():
            return error.lines
        case RecordError():
            return [clean(str(error))]
        case StorageError():
            return [clean(error.strerror or str(error))]
        case OSError() if error.errno in _OF_THE_SYSTEM:
            where = f"{written(str(error.filename))}: " if error.filename else ""
            return [f"{where}{(error.strerror or str(error)).lower()}; make room, or give another path"]
    return []


def _usage(message: str, names: Sequence[str]) -> str:
    """The parser's complaint in one line, with all commands where it was one that is like none."""
    line = " ".join(message.split())
    match = re.search(r"No such command '(.*)'", line)
    if match is None or "Did you mean" in line:
        return line
    return f"{line} One of: {', '.join(sorted(names))}."


def _our_fault(error: Exception) -> int:
    kind = type(error).__name__
    try:
        with tempfile.NamedTemporaryFile("w", prefix="ablate-", suffix=".txt", delete=False) as file:
            traceback.print_exception(error, file=file)
        typer.echo(f"ablate: {kind}: our fault; the traceback is in {file.name}", err=True)
    except OSError:
        traceback.print_exception(error)
        typer.echo(f"ablate: {kind}: our fault; the traceback is above, as no file could hold it", err=True)
    return OUR_FAULT

"""Paths that people give, before anything is done with them."""

import os
from pathlib import Path

from runners import run_lock
from runners.errors import BadInput, written


def usable(path: Path, option: str) -> Path:
    """The path, once it is sure that the file system can look it up; it need not exist.

    Args:
        path: As it was given.
        option: What it was given as, for the message.

    Raises:
        BadInput: It is too long, cannot be read by this user, or is no path at all.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a NUL in it is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"{option} {written(str(path))}: {reason.lower()}; expected another path") from None
    return path


def writable(directory: Path, option: str) -> Path:
    """The directory, once it is sure that a run can be written there; it need not exist.

    Args:
        directory: As it was given.
        option: What it was given as, for the message.

    Raises:
        BadInput: It is a file or below one, holds something that is no run, or is not ours to write.
    """
    given = f"{option} {written(str(directory))}"
    existing = next(path for path in (directory, *directory.absolute().parents) if os.path.lexists(path))
    if not existing.is_dir():
        where = "is a file" if existing == directory else f"{existing} is a file"
        raise BadInput(f"{given}: {where}; expected a directory, e.g. runs/mine")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise BadInput(f"{given}: {existing} cannot be written by this user; expected another directory")
    held = {path.name for path in directory.iterdir()} - {run_lock.NAME} if existing == directory else set()
    if held and not (directory / "study.json").is_file():
        raise BadInput(f"{given}: holds something that is no run; expected a new directory or a run's")
    return directory

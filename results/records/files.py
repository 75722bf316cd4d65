"""Reading and writing JSON: whole or not at all, and never believed before it was checked."""

import errno
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

SCHEMA_VERSION = 1

_ANYTHING = TypeAdapter(Any)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class RecordError(ValueError):
    """A file is not what it should be; the message names the file, the field and what is wrong with it."""


class StorageError(OSError):
    """The file system took no more, or cannot hold such a name; the message says what to do."""


def parse(path: Path, adapter: TypeAdapter[T], what: str) -> T:
    """Read a JSON file as what it should hold.

    Args:
        path: The file.
        adapter: Its type.
        what: Its noun, for messages: `a record`.

    Raises:
        RecordError: It cannot be read, or its content is not of that type; one line with the field.
    """
    try:
        return adapter.validate_json(read_bytes(path), strict=True)
    except ValidationError as error:
        raise RecordError(f"{path}: not {what}: {explain(error)}") from error


def read_bytes(path: Path) -> bytes:
    """Content of a file.

    Raises:
        RecordError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise RecordError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def explain(error: ValidationError) -> str:
    """The first thing that was refused, with the field it stands in."""
    detail = error.errors(include_url=False, include_context=False)[0]
    place = field(detail["loc"])
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if detail["type"] == "json_invalid":
        return f"not readable JSON ({message.removeprefix('Invalid JSON: ')})"
    if detail["type"] in {"missing", "missing_argument"}:
        return f"no field {place}"
    if detail["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return f"a field {place} that nothing knows"
    if place and detail["type"] != "value_error":
        given = repr(detail["input"])
        return f"{place} is {given if len(given) <= 40 else given[:37] + '...'}; expected {message}"
    return f"{place}: {message}" if place else f"expected {message}"


def field(location: Sequence[int | str]) -> str:
    """`outcomes[0].measurements[2].values[0]`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")


def dump(content: Any) -> Any:
    """Dataclasses, tuples and the like as what JSON holds."""
    return _ANYTHING.dump_python(content, mode="json")


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader sees the whole file or none: temporary file, fsync, atomic rename.

    Args:
        path: Where to; its folder is made.
        content: What JSON can hold; dataclasses are written by their fields, in order of their names.

    Raises:
        ValueError: A number is NaN or infinite, which JSON cannot hold.
        StorageError: There is no room, or the name is too long.
    """
    text = json.dumps(dump(content), indent=1, sort_keys=True, allow_nan=False)
    write_text(path, text)


def write_text(path: Path, text: str) -> None:
    """Write text atomically and durably; see `write_json`."""
    write_bytes(path, text.encode("utf-8", errors="replace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically and durably; see `write_json`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to be written, which then takes a path's place, durably; see `write_json`.

    Raises:
        StorageError: There is no room, or the name is too long.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("r+b") as stream:  # by its name: a library may have put another file there
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise storage_error(path, error) from error


def storage_error(path: Path, error: OSError) -> StorageError:
    """What went wrong with a file, and what to do about it, in one line."""
    if error.errno in _FULL:
        advice = "no room left; make some, and run the same command again: it goes on where it stopped"
        return StorageError(error.errno, f"{path}: {advice}")
    if error.errno == errno.ENAMETOOLONG:
        return StorageError(error.errno, f"{str(path)[:60]}...: the path is too long; give a shorter one")
    return StorageError(error.errno or 0, f"{path}: cannot be written ({error.strerror or error})")

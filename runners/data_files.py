"""Files of data sets that come from elsewhere: where they are looked for, and whether they are whole."""

import hashlib
import os
from pathlib import Path

from runners.errors import BadInput

_SHOWN = 12
"""Digits of a checksum in a message."""


def root() -> Path:
    """Where data sets are kept: `$ABLATE_DATA`, or `data` in the working directory."""
    return Path(os.environ.get("ABLATE_DATA") or "data")


def verify(content: bytes, path: Path, expected: str, again: str) -> None:
    """Refuse what is not the file that it should be.

    Args:
        content: What was read, unpacked.
        path: Where from.
        expected: `sha256:` or `md5:` and the checksum in hexadecimal digits.
        again: How to get the file anew.

    Raises:
        BadInput: It is another file, or a damaged one.
    """
    kind, _, checksum = expected.partition(":")
    found = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
    if found != checksum:
        wanted, has = f"{kind} {checksum[:_SHOWN]}...", f"{found[:_SHOWN]}... ({len(content):,} bytes)"
        raise damaged(path, wanted, has, again)


def damaged(path: Path, expected: str, found: str, again: str) -> BadInput:
    """That a file is not what it should be, in one line."""
    return BadInput(f"{path}: damaged: expected {expected}, found {found}; {again}")

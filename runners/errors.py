"""The user's mistakes, and how messages repeat what was given."""

import datetime
from collections.abc import Sequence

from results.records.values import clean

LONGEST = 60
"""Characters of a value that a message repeats."""


class BadInput(ValueError):  # noqa: N818 - it is named for what it is, not for how it travels
    """Mistakes in what the user gave; the command line prints `lines` and exits with 2.

    Each line says what was wrong, what was expected and the nearest valid choice; what it repeats of the
    input can neither break it nor control a terminal.
    """

    def __init__(self, lines: str | Sequence[str]) -> None:
        self.lines = tuple(map(clean, (lines,) if isinstance(lines, str) else lines))
        super().__init__("\n".join(self.lines))


def written(value: object) -> str:
    """A value as a study file has it, in one line and not too long."""
    text = _toml(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{key} = {_toml(item)}' for key, item in value.items())}}}"
    return repr(value)

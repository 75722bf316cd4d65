"""The user's mistakes."""

from collections.abc import Sequence


class BadInput(ValueError):  # noqa: N818 - it is named for what it is, not for how it travels
    """Mistakes in what the user gave; the command line prints `lines` and exits with 2.

    Each line says what was wrong, what was expected and the nearest valid choice.
    """

    def __init__(self, lines: str | Sequence[str]) -> None:
        self.lines = (lines,) if isinstance(lines, str) else tuple(lines)
        super().__init__("\n".join(self.lines))

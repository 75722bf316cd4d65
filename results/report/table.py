"""Tables of text, as the templates lay them out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its text, and the verdict it shows, if any."""

    text: str
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first cell of each row is its header."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    open: bool = True

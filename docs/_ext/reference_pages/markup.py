"""MyST from plain text: what is written in docstrings and help becomes no markup by accident."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\*_\[\]<>|#{}$~^&!])")


def prose(text: str) -> str:
    """A text in one line, in which nothing but `code` between backticks is markup."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(part if index % 2 else _SPECIAL.sub(r"\\\1", part) for index, part in enumerate(parts))


def code(text: str) -> str:
    """A text as code in a line, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are MyST already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def toctree(places: Iterable[str]) -> str:
    """A list of pages, as the index of a folder has it."""
    return "\n".join(["```{toctree}", ":maxdepth: 1", "", *places, "```"])


def page(*parts: str) -> str:
    """Parts of a page, an empty line between them."""
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(text: str) -> str:
    """A table ends a cell at each bar that no backslash stands before, in code too."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)

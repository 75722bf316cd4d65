"""Rows on a terminal: a table that fits, or JSON."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runners.terminal.widths import widths

PIPED_WIDTH = 160
"""Columns where nobody says how wide the screen is."""
_BETWEEN = 3
"""Blanks and rules that a column adds."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read the output has gone: the command ends, which is for its caller to do."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Where people read; wide where nobody says how wide it is."""
    found = _Console(stderr=stderr)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = PIPED_WIDTH
    return found


def print_json(content: Any) -> None:
    """Print what JSON can hold."""
    typer.echo(json.dumps(content, indent=1))


def print_line(line: str, *, style: str = "", stderr: bool = False) -> None:
    """Print a sentence as it is."""
    console(stderr=stderr).print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def print_table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of the same keys; what is wider than the screen wraps, and nothing is cut off."""
    where = console()
    if not rows:
        where.print(Text(f"{title}: none"))
        return
    where.print(Text(title, "bold", overflow="fold"))
    columns = list(rows[0])
    natural = [_natural_width(column, rows) for column in columns]
    found = widths(natural, where.width - _BETWEEN * len(columns) - 1)
    if found is not None:
        where.print(_table(dict(zip(columns, found, strict=True)), rows))
        return
    for row in rows:
        where.print(_list(row))


def text(value: object) -> str:
    """A value in a cell."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def thousands(value: object) -> str:
    """A value in a cell, whole numbers by thousands."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else text(value)


def _table(columns: Mapping[str, int], rows: Sequence[dict[str, Any]]) -> Table:
    """The table, its columns so many characters wide."""
    table = Table(header_style="bold", box=box.SIMPLE_HEAD)
    for column, width in columns.items():
        table.add_column(Text(_heading(column)), overflow="fold", width=width)
    for row in rows:
        table.add_row(*(Text(text(row[column])) for column in columns))
    return table


def _natural_width(column: str, rows: Sequence[dict[str, Any]]) -> int:
    return max(cell_len(_heading(column)), *(cell_len(text(row[column])) for row in rows))


def _list(row: dict[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for column, value in row.items():
        grid.add_row(Text(_heading(column), "bold"), Text(text(value)))
    grid.add_row()
    return grid


def _heading(column: str) -> str:
    return column.replace("_", " ")

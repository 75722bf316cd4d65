"""Two runs side by side on a terminal: what changed in full, the rest in a line for each context."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import results
from results.compare import STATUSES, compare, regressed
from results.tables import format as text
from runners.terminal.ending import DONE, REGRESSED
from runners.terminal.tables import console, print_line

MOST_UNTOLD = 12
"""Rows of what cannot be told that are shown for each context."""
_COLOURS = {"regressed": "red", "improved": "green", "differs": "yellow", "cannot tell": "yellow"}
"""Of the statuses that are shown as tables; the others are a line for each context."""


def show_comparison(first: Path, second: Path, *, as_json: bool) -> int:
    """Compare two run directories and print what changed, the changed first.

    Args:
        first: A run directory, from before.
        second: Another one, from after.
        as_json: Whether to print JSON (a list of rows, all of them) instead of tables.

    Returns:
        The exit code: whether anything got worse.

    Raises:
        RecordError: One of them is no run directory.
    """
    frame = compare(results.load(first), results.load(second))
    if as_json:
        typer.echo(frame.to_json(orient="records", indent=1))
    else:
        _show(frame, first, second, console())
    return REGRESSED if regressed(frame) else DONE


def _show(frame: pd.DataFrame, first: Path, second: Path, where: Console) -> None:
    print_line(f"first:  {first}")
    print_line(f"second: {second}")
    counts = frame["status"].value_counts()
    print_line(", ".join(f"{counts[status]:,} {status}" for status in STATUSES if status in counts))
    if not counts.reindex(["regressed", "improved", "differs", "cannot tell", "same"]).any():
        print_line("The two have no figure in the same context: nothing can be compared.", style="yellow")
    for (status, context), rows in frame.groupby(["status", "context"], sort=False):
        if status in _COLOURS:
            listed = list(_merged(rows))
            shown = listed[:MOST_UNTOLD] if status == "cannot tell" else listed
            where.print(_table(f"{status}: {context}", shown, _COLOURS[str(status)]))
            if len(shown) < len(listed):
                print_line(f"and {len(listed) - len(shown)} more: --json has all", style="dim")
        else:
            print_line(f"{status}: {context}. {_summary(rows)}.")
    if frame["alike"].any():
        print_line(
            "Where all arms changed alike, it was the machine at another moment, or what they all share.",
            style="dim",
        )


def _merged(rows: pd.DataFrame) -> Iterator[dict[Any, Any]]:
    """Rows; of a figure that changed alike in all arms the first arm's, with how far the others reach."""
    for (_, _, alike), same in rows.groupby(["metric", "mode", "alike"], sort=False):
        listed = same.to_dict("records")
        if not alike or len(listed) == 1:
            yield from listed
            continue
        ends = {"low": same["change"].min(), "high": same["change"].max()}
        arms = f"{listed[0]['arm']} and {text.count(len(same) - 1, 'arm')} alike"
        yield listed[0] | {"arm": arms, "change": math.nan, "ci_low": ends["low"], "ci_high": ends["high"]}


def _summary(rows: pd.DataFrame) -> str:
    """Of how many arms which figures, each once with its modes."""
    modes: dict[str, list[str]] = {}
    for row in rows.drop_duplicates(["compared", "label", "mode"]).to_dict("records"):
        modes.setdefault(_label(row), []).append(row["mode"])
    figures = (f"{name} ({' and '.join(told)})" if told[0] else name for name, told in modes.items())
    return f"{text.count(rows['arm'].nunique(), 'arm')}: {', '.join(figures)}"


def _label(row: dict[Any, Any]) -> str:
    return f"effect on {row['label']}" if row["compared"] == "effect" else str(row["label"])


def _table(title: str, rows: Sequence[dict[Any, Any]], colour: str) -> Table:
    table = Table(
        title=Text(title, f"bold {colour}"), title_justify="left", box=box.SIMPLE_HEAD, header_style="bold"
    )
    for heading in ("figure", "arm"):
        table.add_column(heading, overflow="fold")
    for heading in ("first", "second", "change"):
        table.add_column(heading, overflow="fold", no_wrap=True)
    for row in rows:
        kind, unit = row["effect_kind"], row["unit"]
        change = "" if text.missing(row["change"]) else text.change(row["change"], kind, unit)
        reach = "" if row["exact"] else text.reach(row["ci_low"], row["ci_high"], kind, unit)
        figure = _label(row) + (f" ({row['mode']})" if row["mode"] else "")
        # A long name breaks after a comma, not within a word.
        arm = Text(str(row["arm"]).replace(",", ", "))
        told = Text.assemble(change, (f"\n{reach}" if change and reach else reach, "dim" if change else ""))
        table.add_row(Text(figure), arm, _side(row, "first"), _side(row, "second"), told)
    return table


def _side(row: dict[Any, Any], name: str) -> Text:
    """A figure, its 95 % interval below it."""

    def shown(number: float | None) -> str:
        if row["compared"] == "effect":
            return text.change(number, row["effect_kind"], row["unit"])
        return text.value(number, row["unit"])

    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if row["exact"] or text.missing(low) or text.missing(high):
        return Text(shown(row[name]))
    number, _, noun = shown(low).partition(" ")
    start = number if shown(high).endswith(f" {noun}") else shown(low)
    return Text.assemble(shown(row[name]), (f"\n{start} to {shown(high)}", "dim"))

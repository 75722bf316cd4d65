"""Effects as tables that people read."""

from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from results.report.section import Entry, Table
from results.tables import format as text

Row = dict[Hashable, Any]


def effect_table(rows: pd.DataFrame, first: str, caption: str = "", *, is_open: bool = True) -> Table:
    """A row per effect: values, effect, interval, verdict and note.

    Args:
        rows: Effects with their notes.
        first: The column that heads each row: `arm` or `column`.
        caption: What the table is.
        is_open: Whether it stands open.
    """
    records = rows.to_dict("records")
    # Exact metrics have no noise floor, and nothing is gained by a column that says so.
    noisy = any(not text.missing(row["noise_floor"]) for row in records)
    columns = ["baseline", "value", "effect", "95 % interval", *(["noise floor"] if noisy else [])]
    return Table(
        ["metric" if first == "column" else "arm", *columns, "n", "adjusted p", "verdict", "note"],
        [[Entry(str(row[first])), *_numbers(row, noisy)] for row in records],
        caption,
        open=is_open,
    )


def _numbers(row: Row, noisy: bool) -> Sequence[Entry]:
    kind, unit, verdict = row["effect_kind"], row["unit"], row["verdict"]
    return [
        Entry(text.value(row["baseline_value"], unit)),
        Entry(text.value(row["value"], unit)),
        Entry(full_effect(row)),
        Entry("exact" if row["exact"] else text.interval(row["ci_low"], row["ci_high"], kind, unit) or "—"),
        *([Entry(text.either_way(row["noise_floor"], kind, unit))] if noisy else []),
        Entry(str(row["n"])),
        Entry(text.p_value(row["p_adjusted"])),
        Entry(f"{text.MARKS[verdict]} {verdict}", verdict),
        Entry(row["note"]),
    ]


def full_effect(row: Row) -> str:
    """A ratio with the change that it is: `×1.31 (+31 %)`; a difference as it is."""
    kind, unit = row["effect_kind"], row["unit"]
    ratio, change = text.effect(row["effect"], kind, unit), text.change(row["effect"], kind, unit)
    return ratio if ratio == change or text.missing(row["effect"]) else f"{ratio} ({change})"


def headline_entry(row: Row) -> Entry:
    """An effect in a cell: verdict and change, the interval below it; what is inert says so instead."""
    if row["inert"]:
        return Entry("inert", "inert")
    kind, unit = row["effect_kind"], row["unit"]
    said = f"{text.MARKS[row['verdict']]} {text.change(row['effect'], kind, unit)}"
    if row["exact"] or text.missing(row["effect"]):
        return Entry(said, row["verdict"])
    if not text.missing(row["heap_low"]):
        return Entry(said, row["verdict"], f"two heaps: {row['heap_low_n']} of {row['n']} far lower")
    return Entry(said, row["verdict"], text.reach(row["ci_low"], row["ci_high"], kind, unit))

"""Effects as tables that people read."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pandas as pd

from results.report.section import Entry, Table
from results.tables import format as text
from results.tables import verdict_words

Row = dict[Hashable, Any]


def effect_table(rows: pd.DataFrame, first: str, caption: str = "", *, is_open: bool = True) -> Table:
    """A row per effect: values, effect, interval, what it would find, verdict and note.

    Args:
        rows: Effects with their notes.
        first: The column that heads each row: `arm` or `column`.
        caption: What the table is.
        is_open: Whether it stands open.
    """
    records = rows.to_dict("records")
    # Exact metrics have no noise floor and miss nothing: nothing is gained by columns that say so.
    noisy, finds = (
        any(not text.missing(row[name]) for row in records) for name in ("noise_floor", "smallest_detectable")
    )
    columns = ["baseline", "value", "effect", "95 % interval", *(["noise floor"] if noisy else [])]
    return Table(
        [
            *("metric" if first == "column" else "change", *columns),
            *("n", *(["would find"] if finds else []), "adjusted p", "verdict", "note"),
        ],
        [[Entry(str(row[first])), *_numbers(row, noisy=noisy, finds=finds)] for row in records],
        caption,
        open=is_open,
    )


def _numbers(row: Row, *, noisy: bool, finds: bool) -> Sequence[Entry]:
    kind, unit = row["effect_kind"], row["unit"]
    return [
        Entry(text.value(row["baseline_value"], unit)),
        Entry(text.value(row["value"], unit)),
        Entry(full_effect(row)),
        Entry("exact" if row["exact"] else text.interval(row["ci_low"], row["ci_high"], kind, unit) or "—"),
        *([Entry(text.either_way(row["noise_floor"], kind, unit))] if noisy else []),
        Entry(_counted(row)),
        *([Entry(would_find(row))] if finds else []),
        Entry(text.p_value(row["p_adjusted"])),
        verdict_entry(row),
        Entry(row["note"]),
    ]


def _counted(row: Row) -> str:
    """n; of two sides that are not paired the arm's and the baseline's."""
    unpaired = not pd.isna(row["baseline_n"])
    return f"{row['n']} against {row['baseline_n']}" if unpaired else str(row["n"])


def verdict_entry(row: Row) -> Entry:
    """A verdict with its sign, and below it whether the effect may be too small to count."""
    verdict = row["verdict"]
    return Entry(f"{verdict_words.sign(row)} {verdict}", verdict, verdict_words.by_how_much(row))


def would_find(row: Row) -> str:
    """The smallest true effect that a row would most often find: `±1.2 %`."""
    found, ratio = row["smallest_detectable"], row["effect_kind"] == "ratio"
    if text.missing(found):
        return "—"
    return text.either_way(found - 1 if ratio else found, row["effect_kind"], row["unit"])


def full_effect(row: Row) -> str:
    """A ratio with the change that it is: `×1.31 (+31 %)`; a difference as it is."""
    kind, unit = row["effect_kind"], row["unit"]
    ratio, change = text.effect(row["effect"], kind, unit), text.change(row["effect"], kind, unit)
    return ratio if ratio == change or text.missing(row["effect"]) else f"{ratio} ({change})"


def headline_entry(row: Row, interval: Callable[..., str] = text.reach) -> Entry:
    """An effect in a cell: verdict and change, the interval below it; what is inert says so instead.

    Args:
        row: An effect.
        interval: How an interval is written: from its ends, the kind of effect and the unit.
    """
    if row["inert"]:
        return Entry("inert", "inert")
    kind, unit = row["effect_kind"], row["unit"]
    if row["placebo"] and row["identical"]:
        return Entry(f"{verdict_words.sign(row)} the same", row["verdict"], f"bit for bit, n = {row['n']}")
    said = f"{verdict_words.sign(row)} {text.change(row['effect'], kind, unit)}"
    if row["exact"] or text.missing(row["effect"]):
        return Entry(said, row["verdict"])
    if not text.missing(row["heap_low"]):
        return Entry(said, row["verdict"], f"two heaps: {row['heap_low_n']} of {row['n']} far lower")
    return Entry(said, row["verdict"], interval(row["ci_low"], row["ci_high"], kind, unit))

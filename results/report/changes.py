"""The table of changes: a row for each, a column for each question, and what a row opens to."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any

from results.report.effect_tables import headline_entry
from results.report.section import Bar, Entry, Part, Question, Table
from results.tables import format as text
from results.tables.headline import HeadlineColumn
from results.tables.scale import Scale

Row = dict[Hashable, Any]


def arms_of(columns: Sequence[HeadlineColumn]) -> list[str]:
    """The arms of all columns, in the study's order."""
    return list(dict.fromkeys(arm for column in columns for arm in column.rows["arm"]))


def changes_table(
    columns: Sequence[HeadlineColumn],
    caption: str,
    of_baseline: Sequence[HeadlineColumn] | None = None,
    evidence: Mapping[str, Sequence[Part]] | None = None,
    interval: Callable[..., str] = text.reach,
    kept: Collection[str] | None = None,
) -> Table:
    """Changes down, headline metrics across; the baseline's own values stand in the heads.

    What changes nothing anywhere comes last.

    Args:
        columns: The headline.
        caption: What the table is.
        of_baseline: Columns that know the baseline's own values, where `columns` are averages.
        evidence: What a change opens to.
        interval: How intervals are written, as for `headline_entry`.
        kept: The changes that are shown; None for all.
    """
    known = {(column.title, column.context): _baseline(column) for column in of_baseline or columns}
    questions = [_question(column, known.get((column.title, column.context), "—")) for column in columns]
    found = [by_arm(column) for column in columns]
    scales = [Scale.of(column.rows) for column in columns]
    every = arms_of(columns)
    arms = every if kept is None else [arm for arm in every if arm in set(kept)]
    idle = [arm for arm in arms if all(_does_nothing(rows[arm]) for rows in found if arm in rows)]
    ordered = [*(arm for arm in arms if arm not in set(idle)), *idle]
    rows = [
        [
            Entry(arm, detail=_instead(arm, found)),
            *(_cell(rows.get(arm), scale, interval) for rows, scale in zip(found, scales, strict=True)),
        ]
        for arm in ordered
    ]
    heads = [f"{q.title} ({q.known}, margin {q.margin}; baseline {q.baseline})" for q in questions]
    return Table(
        ["change", *heads],
        rows,
        caption
        if len(arms) == len(every)
        else f"{caption} ({len(arms)} of {len(every):,}; effects.csv has all)",
        groups=["", *(column.context for column in columns)],
        brief=True,
        questions=questions,
        details=[(evidence or {}).get(arm, ()) for arm in ordered],
        idle=len(idle),
    )


def by_arm(column: HeadlineColumn) -> dict[str, Row]:
    """The effects of a column, by arm."""
    return dict(zip(column.rows["arm"], column.rows.to_dict("records"), strict=True))


def _instead(arm: str, found: Sequence[Mapping[str, Row]]) -> str:
    """`instead of shallow`: what the baseline has; of several factors each with its level."""
    row = next(rows[arm] for rows in found if arm in rows)
    names, levels = row["factor"].split("+"), row["baseline_level"].split("+")
    pairs = [(name, level) for name, level in zip(names, levels, strict=True) if level]
    if len(pairs) == 1 and len(names) == 1:
        return f"instead of {pairs[0][1]}"
    return f"instead of {', '.join(f'{name}={level}' for name, level in pairs)}" if pairs else ""


def _does_nothing(row: Row) -> bool:
    """Whether a change has no effect at all: inert, or equal to the bit or the byte."""
    if row["inert"]:
        return True
    none = 1.0 if row["effect_kind"] == "ratio" else 0.0
    same = row["exact"] or (row["identical"] and row["placebo"])
    return bool(same and row["effect"] == none and row["verdict"] == "equivalent")


def _cell(row: Row | None, scale: Scale, interval: Callable[..., str]) -> Entry:
    if row is None:
        return Entry("—")
    entry = headline_entry(row, interval)
    effect = None if row["inert"] or text.missing(row["effect"]) else float(row["effect"])
    bar = None if effect is None else bar_of(row, scale)
    return Entry(
        entry.text,
        entry.verdict,
        entry.detail,
        value="" if text.missing(row["value"]) else text.value(row["value"], row["unit"]),
        bar=bar,
        key=effect,
    )


def bar_of(row: Row, scale: Scale) -> Bar:
    """An effect on the scale of its column."""
    low, high = (None if row["exact"] else scale.place(row[name]) for name in ("ci_low", "ci_high"))
    effect = row["effect"]
    return Bar(low, scale.place(effect), high, scale.none, scale.band, scale.outside(effect))


def _baseline(column: HeadlineColumn) -> str:
    known = column.rows["baseline_value"].dropna()
    return text.value(float(known.iloc[0]), column.rows["unit"].iloc[0]) if len(known) else "—"


def _question(column: HeadlineColumn, baseline: str) -> Question:
    first = column.rows.iloc[0]
    # What is of a split of the data, such as test accuracy, is of no mode.
    modeless = text.missing_text(first["mode"]) or not text.missing_text(first["split"])
    return Question(
        column.title,
        column.context,
        str(first["kind"]),
        str(first["workload"]),
        "" if modeless else str(first["mode"]),
        baseline,
        _known(column),
        text.either_way(first["margin"], first["effect_kind"], first["unit"]),
    )


def _known(column: HeadlineColumn) -> str:
    """How many stand behind a column: `exact`, `n = 12 processes`, `n = 7 seeds against 16`."""
    if column.rows["exact"].any():
        return "exact but for products of three" if (column.rows["sets"] == 0).any() else "exact"
    varying = column.rows[~(column.rows["placebo"] & column.rows["identical"])]
    counts = [int(n) for n in varying["n"] if n]
    others = [int(n) for n in varying["baseline_n"].dropna() if n]
    if not counts:
        return "no value"
    unit = text.plural(str(varying["block_unit"].iloc[0]))
    return f"n = {_span(counts)} {unit}{f' against {_span(others)}' if others else ''}"


def _span(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"

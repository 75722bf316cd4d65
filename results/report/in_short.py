"""The answer in a few words: which changes are free, expensive, buy accuracy, or are undecided."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from results.report.section import Sentence
from results.tables import format as text
from results.tables import verdict_words
from results.tables.headline import HeadlineColumn

Row = dict[Hashable, Any]
MOST_NAMED = 3
"""So many changes are named of each sort; the table has all."""
_SHORT = {"memory": "memory", "throughput": "time"}


def main_columns(columns: Sequence[HeadlineColumn]) -> list[HeadlineColumn]:
    """Of each kind of workload the first column, which is of training where that was asked."""
    kinds: dict[str, HeadlineColumn] = {}
    for column in columns:
        kinds.setdefault(str(column.rows.iloc[0]["kind"]), column)
    return list(kinds.values())


def in_short(columns: Sequence[HeadlineColumn]) -> list[Sentence]:
    """`Free: pool=average (time −3.7 %).` and so on, by the main columns; each change is named once."""
    main = main_columns(columns)
    told: dict[str, dict[str, list[tuple[str, Row]]]] = {name: {} for name in _SORTS}
    of_arm: dict[str, list[tuple[str, Row]]] = {}
    for column in main:
        for row in column.rows.to_dict("records"):
            of_arm.setdefault(row["arm"], []).append((_word(row), row))
    for arm, rows in of_arm.items():
        told[_sort([row for _, row in rows])][arm] = rows
    return list(_sentences(told, asks_quality=any(_is_quality(column.rows.iloc[0]) for column in main)))


def _sentences(
    told: dict[str, dict[str, list[tuple[str, Row]]]], *, asks_quality: bool
) -> Iterator[Sentence]:
    for name, arms in told.items():
        if arms:
            ordered = sorted(arms, key=lambda arm: -_size([row for _, row in arms[arm]]))
            said = [f"{arm}{_figures(name, arms[arm])}" for arm in ordered[:MOST_NAMED]]
            more = len(arms) - MOST_NAMED
            yield Sentence(
                f"{', '.join(said)}{f' and {more} more' if more > 0 else ''}.", lead=f"{name}:", tone="key"
            )
        elif name == _BUYS and asks_quality:
            yield Sentence("no change, as far as this run can tell.", lead=f"{name}:", tone="key")


_BUYS, _EXPENSIVE, _COSTS, _FREE = "Buys accuracy", "Expensive", "Costs accuracy", "Free"
_UNDECIDED, _INVALID = "Undecided", "Not to be trusted"
_SORTS = (_INVALID, _FREE, _EXPENSIVE, _BUYS, _COSTS, _UNDECIDED)


def _is_quality(row: Any) -> bool:
    return bool(row["kind"] == "convergence" and row["better"] == "higher")


def _sort(rows: list[Row]) -> str:
    """One sort for a change, by its verdicts."""
    quality = {row["verdict"] for row in rows if _is_quality(row)}
    costs = {row["verdict"] for row in rows if not _is_quality(row) and not row["inert"]}
    if "invalid" in quality | costs:
        return _INVALID
    if "better" in quality:
        return _BUYS
    if "worse" in costs:
        return _EXPENSIVE
    if "worse" in quality:
        return _COSTS
    return _UNDECIDED if "inconclusive" in quality | costs else _FREE


def _figures(sort: str, rows: list[tuple[str, Row]]) -> str:
    """`(memory ×3.6, time +114 %)`: what is decided; of the undecided, what is not."""
    wanted = (
        {"inconclusive"} if sort == _UNDECIDED else {"invalid"} if sort == _INVALID else {"better", "worse"}
    )
    shown = [(word, row) for word, row in rows if row["verdict"] in wanted and not row["inert"]]
    if sort in {_UNDECIDED, _INVALID}:
        open_ones = ", ".join(word for word, _ in shown)
        return f" ({open_ones})" if len(rows) > 1 else ""
    if not shown:
        return " (no difference)"
    changes = (
        f"{word} {_sign(row)}{text.change(row['effect'], row['effect_kind'], row['unit'])}"
        for word, row in shown
        if not text.missing(row["effect"])
    )
    return f" ({', '.join(changes)})"


def _sign(row: Row) -> str:
    """The sign of a verdict where the change may be too small to count."""
    return f"{verdict_words.sign(row)} " if verdict_words.is_weak(row) else ""


def _word(row: Row) -> str:
    """The question in a word: what heads its column says the rest."""
    label = str(row["label"]).removeprefix("test ")
    return _SHORT.get(str(row["kind"]), label)


def _size(rows: list[Row]) -> float:
    """The largest change in margins, by which those are named first that matter most."""
    sizes = [0.0]
    for row in rows:
        if row["inert"] or text.missing(row["effect"]) or text.missing(row["margin"]):
            continue
        change = row["effect"] - 1 if row["effect_kind"] == "ratio" else row["effect"]
        sizes.append(abs(change) / max(row["margin"], 1e-6))
    return max(sizes)

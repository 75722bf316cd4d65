"""The answer in a few words: which changes are free, expensive, buy accuracy, and what is undecided."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any

from results.report.section import Sentence
from results.tables import format as text
from results.tables import verdict_words
from results.tables.headline import HeadlineColumn

Row = dict[Hashable, Any]
Told = list[tuple[str, Row]]
MOST_NAMED = 3
"""So many changes are named of each sort; the table has all."""
_SHORT = {"memory": "memory", "throughput": "time"}
_BUYS, _EXPENSIVE, _COSTS, _FREE = "Buys accuracy", "Expensive", "Costs accuracy", "Free"
_SORTS = (_FREE, _EXPENSIVE, _BUYS, _COSTS)
_INVALID, _OPEN, _MISSING = "Not to be trusted", "Undecided", "Without a number"


def main_columns(columns: Sequence[HeadlineColumn]) -> list[HeadlineColumn]:
    """Of each kind of workload the first column, which is of training where that was asked."""
    kinds: dict[str, HeadlineColumn] = {}
    for column in columns:
        kinds.setdefault(str(column.rows.iloc[0]["kind"]), column)
    return list(kinds.values())


def in_short(columns: Sequence[HeadlineColumn], asked: Collection[str] = ()) -> list[Sentence]:
    """`Expensive: pool_kernel=2 (memory +7.1 %, time +34 %).` and so on.

    Each change of which anything is decided is named in one sort, by the worst that it does. Figures are
    those of the main columns; those of another column stand beside them, by the name of what it asks, where
    it is worse there alone, or where the main columns find nothing. An effect within the noise floor is no
    figure. What is undecided, invalid or without a number is told by question, whatever else a change does.

    Args:
        columns: The headline.
        asked: Kinds of workloads of the study: nothing is free before all have an answer.
    """
    main = main_columns(columns)
    whole = set(asked) <= {str(column.rows.iloc[0]["kind"]) for column in main}
    open_: dict[str, dict[str, list[str]]] = {_OPEN: {}, _INVALID: {}, _MISSING: {}}
    sorts: dict[str, dict[str, Told]] = {name: {} for name in _SORTS}
    for arm, (mine, others) in _by_arm(columns, main).items():
        for word, row in mine:
            if state := _state(row):
                noted = f"{word} (within the noise)" if row["verdict"] == "worse" else word
                open_[state].setdefault(noted, []).append(arm)
        told = [*mine, *_beside(mine, others)]
        if sort := _sort([row for _, row in told], whole=whole and len(mine) == len(main)):
            sorts[sort][arm] = told
    quality = any(_is_quality(column.rows.iloc[0]) for column in main)
    return [*_sentences(sorts, asks_quality=quality), *_of_questions(open_)]


def _by_arm(
    columns: Sequence[HeadlineColumn], main: Sequence[HeadlineColumn]
) -> dict[str, tuple[Told, Told]]:
    """For each arm its rows in the main columns, and those in the others, with a word for each."""
    found: dict[str, tuple[Told, Told]] = {}
    first = {str(column.rows.iloc[0]["kind"]): column.rows.iloc[0] for column in main}
    for column in columns:
        is_main = any(column is one for one in main)
        for row in column.rows.to_dict("records"):
            mine, others = found.setdefault(row["arm"], ([], []))
            if is_main:
                mine.append((_word(row), row))
            else:
                others.append((_other_word(row, first[str(row["kind"])]), row))
    return found


def _other_word(row: Row, main: Any) -> str:
    """`time in inference`, `memory in memory-small`, or another metric by its own name."""
    if row["metric"] != main["metric"]:
        return str(row["label"]).removeprefix("test ")
    where = [str(row[name]) for name in ("mode", "workload") if row[name] != main[name]]
    return f"{_word(row)} in {', '.join(where)}" if where else f"{_word(row)}, {row['source']}"


def _beside(mine: Told, others: Told) -> Told:
    """What others say that the main columns do not: that it is worse, or anything where these are silent."""
    # Another metric stands in for one that is open in the table alone: it is not what was asked.
    asked = {(row["kind"], row["metric"]) for _, row in mine}
    open_ = {row["kind"] for _, row in mine if _state(row)}
    decided = [
        (word, row)
        for word, row in others
        if _decided(row) and ((row["kind"], row["metric"]) in asked or row["kind"] not in open_)
    ]
    found = {(row["kind"], row["verdict"]) for _, row in mine if _decided(row)}
    kinds = {row["kind"] for _, row in mine if _decided(row)}
    return [
        (word, row)
        for word, row in decided
        if (row["verdict"] == "worse" and (row["kind"], "worse") not in found) or not kinds
    ]


def _state(row: Row) -> str:
    """Under which head a question stays open; "" where it is answered."""
    if row["inert"]:
        return ""
    if row["verdict"] == "invalid":
        return _INVALID
    if row["verdict"] == "inconclusive":
        return _MISSING if text.missing(row["effect"]) else _OPEN
    return _OPEN if row["verdict"] == "worse" and _drowns(row) else ""


def _is_quality(row: Any) -> bool:
    return bool(row["kind"] == "convergence" and row["better"] == "higher")


def _decided(row: Row) -> bool:
    """Whether a row says better or worse, and by more than the noise of the run."""
    return row["verdict"] in {"better", "worse"} and not row["inert"] and not _drowns(row)


def _drowns(row: Row) -> bool:
    if any(text.missing(row[name]) for name in ("noise_floor", "effect")):
        return False
    change = (
        max(row["effect"], 1 / row["effect"]) - 1 if row["effect_kind"] == "ratio" else abs(row["effect"])
    )
    return bool(change <= row["noise_floor"])


def _sort(rows: list[Row], *, whole: bool) -> str:
    """One sort for a change, by its verdicts; "" where nothing is decided, or something is open."""
    quality = {row["verdict"] for row in rows if _is_quality(row) and _decided(row)}
    costs = {row["verdict"] for row in rows if not _is_quality(row) and _decided(row)}
    if "better" in quality and "worse" not in quality:
        return _BUYS
    if "worse" in quality:
        return _COSTS
    if "worse" in costs:
        return _EXPENSIVE
    return _FREE if whole and not any(map(_state, rows)) else ""


def _sentences(sorts: Mapping[str, dict[str, Told]], *, asks_quality: bool) -> Iterator[Sentence]:
    for name, arms in sorts.items():
        if arms:
            ordered = sorted(arms, key=lambda arm: -_size([row for _, row in arms[arm]]))
            yield Sentence(f"{_together(ordered, arms)}.", lead=f"{name}:", tone="key")
        elif name == _BUYS and asks_quality:
            yield Sentence("no change, as far as this run can tell.", lead=f"{name}:", tone="key")


def _together(ordered: list[str], arms: dict[str, Told]) -> str:
    """Changes with their figures; those of the same figures share them."""
    same: dict[str, list[str]] = {}
    for arm in ordered[:MOST_NAMED]:
        same.setdefault(_figures(arms[arm]), []).append(arm)
    more = len(ordered) - MOST_NAMED
    said = ", ".join(f"{', '.join(names)}{figures}" for figures, names in same.items())
    return f"{said}{f' and {more} more' if more > 0 else ''}"


def _of_questions(found: Mapping[str, Mapping[str, list[str]]]) -> Iterator[Sentence]:
    for name, questions in found.items():
        if questions:
            said = "; ".join(f"{word} of {_some(arms)}" for word, arms in questions.items())
            yield Sentence(f"{said}.", lead=f"{name}:", tone="key")


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return f"{', '.join(names[:MOST_NAMED])}{f' and {more} more' if more > 0 else ''}"


def _figures(rows: Told) -> str:
    """`(memory ×3.6, time +114 %)`: what is decided."""
    changes = [
        f"{word} {_sign(row)}{text.change(row['effect'], row['effect_kind'], row['unit'])}"
        for word, row in rows
        if _decided(row) and not text.missing(row["effect"])
    ]
    if changes:
        return f" ({', '.join(changes)})"
    drowned = any(row["verdict"] in {"better", "worse"} and _drowns(row) for _, row in rows)
    return " (no difference beyond the noise)" if drowned else " (no difference that counts)"


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

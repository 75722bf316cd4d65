"""The answer in a few words: which changes are free, expensive, buy accuracy, and what is undecided."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from results.report.section import Sentence
from results.tables import format as text
from results.tables import verdict_words
from results.tables.headline import HeadlineColumn

Row = dict[Hashable, Any]
Told = Mapping[str, list[tuple[str, Row]]]
MOST_NAMED = 3
"""So many changes are named of each sort; the table has all."""
_SHORT = {"memory": "memory", "throughput": "time"}
_BUYS, _EXPENSIVE, _COSTS, _FREE = "Buys accuracy", "Expensive", "Costs accuracy", "Free"
_UNDECIDED, _INVALID = "Undecided", "Not to be trusted"
_SORTS = (_INVALID, _FREE, _EXPENSIVE, _BUYS, _COSTS)


def main_columns(columns: Sequence[HeadlineColumn]) -> list[HeadlineColumn]:
    """Of each kind of workload the first column, which is of training where that was asked."""
    kinds: dict[str, HeadlineColumn] = {}
    for column in columns:
        kinds.setdefault(str(column.rows.iloc[0]["kind"]), column)
    return list(kinds.values())


def in_short(columns: Sequence[HeadlineColumn]) -> list[Sentence]:
    """`Expensive: pool_kernel=2 (memory +7.1 %, time +34 %).` and so on, by the main columns.

    Each change of which anything is decided is named in one sort, by the worst that it does; what inference
    says is told where that is decided otherwise. An effect within the noise floor is none here. What is
    undecided is told by question, whatever else a change does.
    """
    main = main_columns(columns)
    of_arm: dict[str, list[tuple[str, Row]]] = {}
    undecided: dict[str, list[str]] = {}
    for column in main:
        others = _by_arm(_other_mode(columns, column))
        for row in column.rows.to_dict("records"):
            told = of_arm.setdefault(row["arm"], [])
            told.append((_word(row), row))
            other = others.get(row["arm"])
            differs = other is not None and (not _decided(row) or other["verdict"] != row["verdict"])
            if other is not None and differs and _decided(other):
                told.append((f"{_word(row)} in {other['mode']}", other))
            if row["verdict"] == "inconclusive" and not row["inert"]:
                undecided.setdefault(_word(row), []).append(row["arm"])
    sorts: dict[str, dict[str, list[tuple[str, Row]]]] = {name: {} for name in _SORTS}
    for arm, rows in of_arm.items():
        if sort := _sort([row for _, row in rows]):
            sorts[sort][arm] = rows
    quality = any(_is_quality(column.rows.iloc[0]) for column in main)
    return [*_sentences(sorts, asks_quality=quality), *_open(undecided)]


def _sentences(sorts: Mapping[str, Told], *, asks_quality: bool) -> Iterator[Sentence]:
    for name, arms in sorts.items():
        if arms:
            ordered = sorted(arms, key=lambda arm: -_size([row for _, row in arms[arm]]))
            said = _some([f"{arm}{_figures(name, arms[arm])}" for arm in ordered])
            yield Sentence(f"{said}.", lead=f"{name}:", tone="key")
        elif name == _BUYS and asks_quality:
            yield Sentence("no change, as far as this run can tell.", lead=f"{name}:", tone="key")


def _open(undecided: Mapping[str, list[str]]) -> Iterator[Sentence]:
    if undecided:
        said = "; ".join(f"{word} of {_some(arms)}" for word, arms in undecided.items())
        yield Sentence(f"{said}.", lead=f"{_UNDECIDED}:", tone="key")


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return f"{', '.join(names[:MOST_NAMED])}{f' and {more} more' if more > 0 else ''}"


def _by_arm(column: HeadlineColumn | None) -> dict[str, Row]:
    return {} if column is None else {row["arm"]: row for row in column.rows.to_dict("records")}


def _other_mode(columns: Sequence[HeadlineColumn], column: HeadlineColumn) -> HeadlineColumn | None:
    """The column of the same question in inference, where that one is of training."""
    same = ("workload", "metric", "source", "device")
    first = column.rows.iloc[0]
    for other in columns:
        row = other.rows.iloc[0]
        if row["mode"] == "inference" != first["mode"] and all(row[name] == first[name] for name in same):
            return other
    return None


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


def _sort(rows: list[Row]) -> str:
    """One sort for a change, by its verdicts; "" where nothing is decided and something is open."""
    if any(row["verdict"] == "invalid" for row in rows):
        return _INVALID
    quality = {row["verdict"] for row in rows if _is_quality(row) and _decided(row)}
    costs = {row["verdict"] for row in rows if not _is_quality(row) and _decided(row)}
    if "better" in quality:
        return _BUYS
    if "worse" in costs:
        return _EXPENSIVE if "worse" not in quality else _COSTS
    if "worse" in quality:
        return _COSTS
    return "" if any(row["verdict"] == "inconclusive" and not row["inert"] for row in rows) else _FREE


def _figures(sort: str, rows: list[tuple[str, Row]]) -> str:
    """`(memory ×3.6, time +114 %)`: what is decided."""
    if sort == _INVALID:
        return f" ({', '.join(word for word, row in rows if row['verdict'] == 'invalid')})"
    changes = [
        f"{word} {_sign(row)}{text.change(row['effect'], row['effect_kind'], row['unit'])}"
        for word, row in rows
        if _decided(row) and not text.missing(row["effect"])
    ]
    return f" ({', '.join(changes)})" if changes else " (no difference)"


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

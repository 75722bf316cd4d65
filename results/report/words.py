"""Effects in words, for a reader who does not know statistics."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from results.tables import format as text
from results.tables.headline import headline_rows

Row = dict[Hashable, Any]
Phrase = tuple[str, str]
"""A leading word and what follows it: ("Costs", "31 % more peak memory (train; exact)")."""


def answers(effects: pd.DataFrame) -> list[tuple[str, list[Phrase]]]:
    """For each arm what it costs and buys, one phrase per kind of answer.

    Of one quantity in several modes and sources, the first speaks: training before inference, simulated
    before measured. The tables show all.
    """
    said = []
    for arm, group in headline_rows(effects).groupby("arm", sort=False):
        first = group.drop_duplicates(["workload", "label"])
        said.append((str(arm), _phrases(first.to_dict("records"))))
    return said


def _phrases(rows: list[Row]) -> list[Phrase]:
    clauses: dict[str, list[str]] = {}
    for row in rows:
        word, clause = _clause(row)
        clauses.setdefault(word, []).append(clause)
    order = [word for word in _ORDER if word in clauses]
    return [(word, _list(list(dict.fromkeys(clauses[word])))) for word in order]


_ORDER = (
    *("Gains", "Saves", "Costs", "Loses", "Leaves unchanged", "Undecided:", "No value:"),
    *("Changes no shape, operator or output in", "Not to be trusted:"),
)


def _clause(row: Row) -> Phrase:
    verdict = row["verdict"]
    if row["inert"]:
        return "Changes no shape, operator or output in", str(row["workload"])
    if verdict == "invalid":
        return "Not to be trusted:", _named(row, row["note"].split("; ")[0])
    if text.missing(row["effect"]):
        word = {"better": "Gains", "worse": "Loses"}.get(verdict, "No value:")
        return word, _named(row, row["note"].removeprefix(f"{row['arm']}: "))
    if verdict == "inconclusive":
        return "Undecided:", _named(row, f"{_measured(row)}; {_what_would_decide(row)}")
    if verdict == "equivalent":
        return "Leaves unchanged", _named(row, _measured(row))
    word = _WORDS[verdict, row["better"]]
    joint = "of" if word in {"Saves", "Loses"} or row["unit"] == "fraction" else "more"
    return word, f"{_amount(row)} {joint} {_named(row, _interval(row))}"


_WORDS = {
    ("better", "lower"): "Saves",
    ("better", "higher"): "Gains",
    ("worse", "lower"): "Costs",
    ("worse", "higher"): "Loses",
}


def _named(row: Row, said: str) -> str:
    """`peak memory (train, simulated cuda; exact)`."""
    label, _, context = row["column"].partition(", ")
    return f"{label} ({context}; {said})" if context else f"{label} ({said})"


def _amount(row: Row) -> str:
    """The size of an effect without its sign: `31 %`, `3.1 points`; beyond tenfold `1,100 %`."""
    effect, kind = row["effect"], row["effect_kind"]
    if kind == "ratio" and effect >= 10:
        return f"{100 * (effect - 1):,.0f} %"
    return text.change(effect, kind, row["unit"]).lstrip("+−±")


def _measured(row: Row) -> str:
    change = text.change(row["effect"], row["effect_kind"], row["unit"])
    if "exact" in row["note"].split("; ") or "bit-identical" in row["note"]:
        same = row["effect"] == (1.0 if row["effect_kind"] == "ratio" else 0.0)
        how = "exact" if "exact" in row["note"].split("; ") else "bit for bit"
        return f"the same, {how}" if same else f"{change}, {how}"
    return f"{change}, {_interval(row)}"


def _interval(row: Row) -> str:
    if "exact" in row["note"].split("; "):
        return "exact"
    ends = [text.change(row[end], row["effect_kind"], row["unit"]) for end in ("ci_low", "ci_high")]
    return "no interval" if "—" in ends else f"between {ends[0]} and {ends[1]}"


def _what_would_decide(row: Row) -> str:
    notes = [note for note in row["note"].split("; ") if "would" in note or note.startswith("censored")]
    return notes[0] if notes else "no number of repeats can be given"


def _list(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

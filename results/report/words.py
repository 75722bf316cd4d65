"""Effects in words, for a reader who does not know statistics; each sentence is of one context."""

from collections.abc import Hashable, Iterable
from typing import Any

from results.report.control_words import beside
from results.report.notes import reason, seeds, undecided
from results.report.section import Sentence
from results.tables import format as text
from results.tables import verdict_words
from results.tables.headline import HeadlineColumn

Row = dict[Hashable, Any]


def answers(columns: Iterable[HeadlineColumn]) -> dict[str, list[Sentence]]:
    """For each arm what it costs and buys, a sentence for each context: no two contexts share one."""
    told: dict[str, dict[str, list[tuple[str, Row]]]] = {}
    for column in columns:
        for row in column.rows.to_dict("records"):
            mine = told.setdefault(row["arm"], {})
            mine.setdefault(column.context, []).append((column.title, row))
    return {
        arm: [Sentence(f"{'. '.join(_phrases(rows))}.", lead=f"{context}:") for context, rows in mine.items()]
        for arm, mine in told.items()
    }


def _phrases(rows: list[tuple[str, Row]]) -> list[str]:
    clauses: dict[str, list[str]] = {}
    for title, row in rows:
        word, clause = _clause(title, row)
        clauses.setdefault(word, []).append(clause)
    return [f"{word} {_list(clauses[word])}" for word in _ORDER if word in clauses]


_ORDER = (
    *("Gains", "Saves", "Costs", "Loses", "Leaves unchanged:", "Undecided:", "No value:"),
    *("Changes nothing here:", "Not to be trusted:"),
)
_WORDS = {
    ("better", "lower"): "Saves",
    ("better", "higher"): "Gains",
    ("worse", "lower"): "Costs",
    ("worse", "higher"): "Loses",
}


def _clause(title: str, row: Row) -> tuple[str, str]:
    verdict = row["verdict"]
    if row["inert"]:
        return "Changes nothing here:", f"{title} (no shape, operator or output differs)"
    if verdict == "invalid":
        return "Not to be trusted:", f"{title} ({reason(row)})"
    if text.missing(row["effect"]):
        word = {"better": "Gains", "worse": "Loses"}.get(verdict, "No value:")
        return word, f"{title} ({row['note']})"
    if verdict == "inconclusive":
        told = [*seeds(row), *undecided(row)] or [f"censored in some {text.plural(str(row['block_unit']))}"]
        return "Undecided:", f"{title} ({_measured(row)}; {'; '.join([*told, *beside(row)])})"
    if verdict == "equivalent":
        return "Leaves unchanged:", f"{title} ({'; '.join([_measured(row), *beside(row)])})"
    word = _WORDS[verdict, row["better"]]
    of_a_share = row["unit"] == "fraction" and row["better"] == "higher"  # gains 2 points of accuracy
    joint = "of" if word in {"Saves", "Loses"} or of_a_share else "more"
    weak = [verdict_words.PERHAPS_LESS] if verdict_words.is_weak(row) else []
    known = "; ".join([_interval(row), *weak, *seeds(row), *beside(row)])
    return word, f"{_amount(row)} {joint} {title} ({known})"


def _amount(row: Row) -> str:
    """The size of an effect without its sign: `31 %`, `3.1 points`; beyond tenfold `1,100 %`."""
    effect, kind = row["effect"], row["effect_kind"]
    if kind == "ratio" and effect >= 10:
        return f"{100 * (effect - 1):,.0f} %"
    return text.change(effect, kind, row["unit"]).lstrip("+−±")


def _measured(row: Row) -> str:
    change = text.change(row["effect"], row["effect_kind"], row["unit"])
    if row["exact"] or (row["identical"] and row["placebo"]):
        same = row["effect"] == (1.0 if row["effect_kind"] == "ratio" else 0.0)
        how = "exact" if row["exact"] else "bit for bit"
        return f"the same, {how}" if same else f"{change}, {how}"
    return f"{change}, {_interval(row)}"


def _interval(row: Row) -> str:
    if row["exact"]:
        return "exact"
    reach = text.reach(row["ci_low"], row["ci_high"], row["effect_kind"], row["unit"])
    return f"{reach}, n = {row['n']}" if reach else "no interval"


def _list(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

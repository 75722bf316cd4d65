"""What changes do whatever else there is, in company, and in pairs beyond what each does alone."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from results import plots
from results.report.control_words import duplicates_that_differ
from results.report.drawing import most_changed_rows
from results.report.effect_tables import effect_table, headline_entry
from results.report.notes import with_notes
from results.report.section import Bullets, Entry, Figure, Group, Part, Section, Sentence, Table, Topic, words
from results.tables import format as text
from results.tables import verdict_words
from results.tables.analysis import Analysis
from results.tables.contexts import described, origin
from results.tables.headline import column_names, headline_columns, headline_rows, title
from results.verdicts.cells import places
from results.verdicts.designs import BOTH, FRACTION, alias_table
from results.verdicts.flagged import flagged

_MEANING = (
    "The effect of two changes made together, over what the two would do if neither minded the other: "
    "×1.20 is 20 % more than the product of both effects, ×1.00 that they add up."
)
_IN_COMPANY = (
    "In company: a change while all others are made, too, set against all others alone; beyond that, what it"
    " does more or less than by itself."
)
_ALIASED = (
    "A fraction of all combinations was run. It gives one number for all that stands in a line below (with "
    "the opposite sign behind a minus, and a change for half of an interaction), and so claims nothing about "
    "an interaction that shares its line with another one, nor about a change that shares it with one; "
    "products of three changes and more are taken for nothing."
)
MOST_PICTURES = 4


def build(run: Analysis, environment: str) -> Section:
    """Main effects and interactions of one environment; none where no arm has two changes."""
    rows, averages = (with_notes(run, frame) for frame in (run.interactions, run.main_effects))
    data = {"interactions": rows} | ({"main_effects": averages} if len(averages) else {})
    here, mine = (_shown(frame, environment) for frame in (rows, averages))
    if here.empty and mine.empty:
        return Section(data=data)
    headline = headline_rows(here) if len(here) else here
    duplicates = list(duplicates_that_differ(_of_the_same_cells(run, here)))
    parts: list[Part] = [Bullets(list(_sentences(run, headline)), brief=3)]
    parts += [Bullets(duplicates)] if duplicates else []
    parts += _figures(run, headline)
    evidence: list[Part] = [words(_MEANING), *([words(_IN_COMPANY)] if run.study.design == BOTH else [])]
    evidence += [*_company(run, environment, mine), *_aliases(run)]
    tables: list[Part] = [
        effect_table(group, "arm", f"{column} [{workload}]", is_open=False)
        for frame in (here, mine)
        if len(frame)
        for (workload, column), group in frame.groupby(["workload", "column"], sort=False)
    ]
    return Section(parts, data=data, evidence=[*evidence, Group("Every number", tables, folded=True)])


def _shown(rows: pd.DataFrame, environment: str) -> pd.DataFrame:
    here = rows[(rows["environment"] == environment) & ~rows["inert"]]
    return here.assign(column=column_names(here)) if len(here) else here


def _company(run: Analysis, environment: str, company: pd.DataFrame) -> list[Part]:
    """Each change alone beside the same change in company, a pair of columns a headline metric."""
    if run.study.design != BOTH:
        return []
    effects = run.effects[run.effects["environment"] == environment]
    heads, groups, cells = ["change"], [""], {name: [Entry(name)] for name in _single(run)}
    beside = {(c.title, c.context): c.rows for c in headline_columns(run.study, company)}
    for column in headline_columns(run.study, effects):
        others = beside.get((column.title, column.context))
        if others is None:
            continue
        heads += [f"{column.title}, alone", "in company"]
        groups += [column.context] * 2
        for name, row in cells.items():
            for rows, arm in ((column.rows, name), (others, f"{name} in company")):
                mine = rows[rows["arm"] == arm].to_dict("records")
                row.append(headline_entry(mine[0]) if mine else Entry("—"))
    return [Table(heads, list(cells.values()), "Each change alone and in company", groups=groups, brief=True)]


def _single(run: Analysis) -> list[str]:
    return [arm.name for arm in run.study.arms if len(arm.changes) == 1]


def _aliases(run: Analysis) -> list[Part]:
    if run.study.design != FRACTION:
        return []
    groups = [group for group in alias_table(run.study) if len(group) > 1]
    return [words(_ALIASED), Bullets([Sentence(f"{' = '.join(group)}.") for group in groups])]


def _sentences(run: Analysis, rows: pd.DataFrame) -> Iterator[Sentence]:
    """What is decided of headline metrics, and what a fraction leaves to be found out."""
    found = flagged(rows)
    decided = found[found["cause"] != "aliased"]
    for _, row in decided.iterrows():
        yield _sentence(run, row)
    if decided.empty and run.study.design != FRACTION:
        yield Sentence(
            "No pair of changes does more or less together than the two do apart, as far as is decided."
        )
    sums = found[found["cause"] == "aliased"]
    told = set()
    for place, (_, row) in zip(places(sums), sums.iterrows(), strict=True):
        parts = [row["factor"].replace("+", " x "), *row["aliases"].split(", ")]
        if any(" x " not in part for part in parts):  # with an effect of its own it is no sum of interactions
            continue
        if (place, frozenset(parts)) in told:
            continue
        told.add((place, frozenset(parts)))
        together = " or ".join(parts)
        yield Sentence(
            f"{title(row)} {_effect(row)} as the sum of {together}, not known of which"
            f" [{_where(run, row)}]; 2x2s tell: ablate run STUDY --follow-up DIRECTORY.",
            lead="To be followed up:",
            tone="warning",
        )


def _of_the_same_cells(run: Analysis, rows: pd.DataFrame) -> pd.DataFrame:
    """Effects in the cells of some interactions, A/A rows among them."""
    known = set(places(rows))
    return run.effects[[place in known for place in places(run.effects)]]


def _sentence(run: Analysis, row: "pd.Series[Any]") -> Sentence:
    weak = f"; {verdict_words.PERHAPS_LESS}" if verdict_words.is_weak(row.to_dict()) else ""
    beyond = "what the two do alone" if "+" in row["factor"] else "what it does alone"
    said = f"{title(row)} {_effect(row, weak)} beyond {beyond} [{_where(run, row)}]."
    return Sentence(said, lead=f"{row['arm']}:")


def _effect(row: "pd.Series[Any]", weak: str = "") -> str:
    kind, unit = row["effect_kind"], row["unit"]
    known = "exact" if row["exact"] else text.interval(row["ci_low"], row["ci_high"], kind, unit)
    return f"{text.change(row['effect'], kind, unit)} ({known}{weak})"


def _where(run: Analysis, row: "pd.Series[Any]") -> str:
    workload = next(w for w in run.study.workloads if w.name == row["workload"])
    return ", ".join(filter(None, (described(run.study, workload), origin(row.to_dict()))))


def _figures(run: Analysis, rows: pd.DataFrame) -> list[Part]:
    """A map of all pairs, and the four corners of those that matter most."""
    pairs = rows[rows["factor"].str.contains("+", regex=False) & rows["effect"].notna()]
    if pairs.empty:
        return []
    names = ", ".join(dict.fromkeys(pairs["arm"]))
    drawn: list[Part] = [
        Figure(
            "interactions",
            "Which pairs of changes do more or less together than apart? Where it is decided, orange costs "
            "and purple helps, the more colour the more margins",
            f"Heat map of interactions, a panel a metric, a cell a pair: {names}.",
            partial(plots.interaction_map, run.study, pairs),
        )
    ]
    worth = flagged(pairs)
    top = most_changed_rows(worth, MOST_PICTURES)
    if len(top):
        some = (
            "" if len(top) == len(worth) else f"; the {len(top)} of {len(worth)} that are farthest from none"
        )
        said = "; ".join(f"{row['arm']}, {title(row)}, {_effect(row)}" for _, row in top.iterrows())
        drawn.append(
            Figure(
                "two-by-two",
                "What do two changes do alone, and what together? Parallel lines: neither minds the other"
                + some,
                f"Line plots of the four corners of: {said}.",
                partial(plots.two_by_two, run.study, top, run.corners),
            )
        )
    return drawn


TOPIC = Topic(
    "interactions", "What changes do together", 20, build, summary="pairs of changes, beyond each alone"
)

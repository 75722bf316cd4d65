"""What was found of a metric, in a sentence that names the changes that move it farthest."""

from collections.abc import Iterator, Sequence

import pandas as pd

from results.report.drawing import most_changed_rows
from results.report.section import Sentence
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.headline import HeadlineColumn, headline_columns

MOST_NAMED = 3
"""Changes named on either side; figures and tables have the others."""


def findings(run: Analysis, effects: pd.DataFrame) -> list[Sentence]:
    """A sentence for each workload, about the first of its headline metrics: what raises and what lowers it.

    Args:
        run: For its study.
        effects: Of one environment and of the workloads that are to be told of.
    """
    first: dict[str, HeadlineColumn] = {}
    for column in headline_columns(run.study, effects):
        first.setdefault(str(column.rows["workload"].iloc[0]), column)
    return [finding(column) for column in first.values()]


def finding(column: HeadlineColumn) -> Sentence:
    """The baseline's value, what is higher and lower, what makes no difference, and the context."""
    rows = column.rows[~column.rows["inert"].astype(bool)]
    known = rows["baseline_value"].dropna()
    told = [f"{text.value(known.iloc[0], rows['unit'].iloc[0])} in the baseline"] if len(known) else []
    said = "; ".join([*told, *clauses(rows)]) or "no change has a value"
    return Sentence(f"{said} [{column.context}].", f"{column.title[:1].upper()}{column.title[1:]}:")


def clauses(rows: pd.DataFrame, sides: tuple[str, str] = ("higher", "lower")) -> list[str]:
    """What raises a metric, what lowers it, and how many changes do neither.

    Args:
        rows: Of one metric in one context, with effect and kind, unit, margin and verdict.
        sides: Words for more and for less.
    """
    return [*_moved(rows, sides), *_others(rows)]


def _moved(rows: pd.DataFrame, sides: tuple[str, str]) -> Iterator[str]:
    decided = rows[rows["verdict"].isin(["better", "worse"])]
    none = decided["effect_kind"].eq("ratio").astype(float)
    more, less = (decided[found] for found in (decided["effect"] > none, decided["effect"] < none))
    for word, side in zip(sides, (more, less), strict=True):
        if len(side):
            yield f"{word} with {_named(side)}"


def _named(rows: pd.DataFrame) -> str:
    ordered = most_changed_rows(rows, len(rows)).head(MOST_NAMED)
    named = [
        f"{row['arm']} ({text.change(row['effect'], row['effect_kind'], row['unit'])})"
        for row in ordered.to_dict("records")
    ]
    left = len(rows) - len(named)
    return listed([*named, *([f"{left} more"] if left else [])])


def _others(rows: pd.DataFrame) -> Iterator[str]:
    sized = rows["effect"].notna()
    same, open_ = ((sized & (rows["verdict"] == name)).sum() for name in ("equivalent", "inconclusive"))
    if same:
        first = rows.iloc[0]
        margin = text.either_way(first["margin"], first["effect_kind"], first["unit"])
        yield f"no difference that counts ({margin}) with {text.count(int(same), 'change')}"
    if open_:
        yield f"not decided for {text.count(int(open_), 'change')}"
    if invalid := int((sized & (rows["verdict"] == "invalid")).sum()):
        yield f"not to be trusted for {text.count(invalid, 'change')}"
    if (~sized).any():
        yield f"no number for {text.count(int((~sized).sum()), 'change')}"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

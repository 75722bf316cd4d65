"""What pairs of changes do together beyond what each does alone."""

from typing import Any

import pandas as pd

from results.report.control_words import duplicates_that_differ
from results.report.effect_tables import effect_table
from results.report.notes import with_notes
from results.report.section import Bullets, Part, Section, Sentence, Topic, words
from results.tables import format as text
from results.tables import verdict_words
from results.tables.analysis import Analysis
from results.tables.contexts import described, origin
from results.tables.headline import column_names, title
from results.verdicts.cells import places

_MEANING = (
    "The effect of two changes made together, over what the two would do if neither minded the other: "
    "×1.20 is 20 % more than the product of both effects, ×1.00 that they add up."
)


def build(run: Analysis, environment: str) -> Section:
    """Interactions of one environment; none where no arm has two changes."""
    rows = with_notes(run, run.interactions)
    data = {"interactions": rows}
    here = rows[(rows["environment"] == environment) & ~rows["inert"]]
    if here.empty:
        return Section(data=data)
    here = here.assign(column=column_names(here))
    decided = here[here["verdict"].isin(["better", "worse"]) & here["headline"]]
    said = [_sentence(run, row) for _, row in decided.iterrows()]
    nothing = Sentence(
        "No pair of changes does more or less together than the two do apart, as far as is decided."
    )
    parts: list[Part] = [words(_MEANING), Bullets(said or [nothing], brief=3)]
    duplicates = list(duplicates_that_differ(_of_the_same_cells(run, here)))
    parts += [Bullets(duplicates)] if duplicates else []
    for (workload, column), group in here.groupby(["workload", "column"], sort=False):
        parts.append(effect_table(group, "arm", f"{column} [{workload}]", is_open=False))
    return Section(parts, data=data)


def _of_the_same_cells(run: Analysis, rows: pd.DataFrame) -> pd.DataFrame:
    """Effects in the cells of some interactions, A/A rows among them."""
    known = set(places(rows))
    return run.effects[[place in known for place in places(run.effects)]]


def _sentence(run: Analysis, row: "pd.Series[Any]") -> Sentence:
    workload = next(w for w in run.study.workloads if w.name == row["workload"])
    where = ", ".join(filter(None, (described(run.study, workload), origin(row.to_dict()))))
    kind, unit = row["effect_kind"], row["unit"]
    ends = text.interval(row["ci_low"], row["ci_high"], kind, unit)
    known = "exact" if row["exact"] else ends
    effect = text.change(row["effect"], kind, unit)
    weak = f"; {verdict_words.PERHAPS_LESS}" if verdict_words.is_weak(row.to_dict()) else ""
    said = f"{title(row)} {effect} beyond what the two do alone ({known}{weak}) [{where}]."
    return Sentence(said, lead=f"{row['arm']}:")


TOPIC = Topic(
    "interactions", "What changes do together", 20, build, summary="pairs of changes, beyond each alone"
)

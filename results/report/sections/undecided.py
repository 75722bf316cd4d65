"""What could not be decided, how small an effect would have been found, and what would suffice."""

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.report.effect_tables import would_find
from results.report.notes import effects_with_notes, n_needed
from results.report.section import Entry, Section, Table, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.headline import column_names
from results.verdicts.divergence import PROPORTIONS, informative

_MEANING = (
    "Under 'would find' stands the smallest true effect that a row would most often have found: a smaller "
    "one may well be there. 'n needed in all' is for the plan of another run: so many seeds or "
    "processes make the interval narrow enough to decide whatever the effect is, reckoned from the spread "
    "alone."
)


def build(run: Analysis, environment: str) -> Section:
    """Effects of one environment that are inconclusive for want of precision, headline metrics first."""
    effects = effects_with_notes(run)
    effects = effects[effects["environment"] == environment]
    rows = effects.assign(column=column_names(effects))
    rows = rows[(rows["verdict"] == "inconclusive") & rows["effect"].notna() & ~rows["inert"]]
    shown = ~rows["metric"].isin(PROPORTIONS) | rows["headline"]  # that some diverged is part of what failed
    rows = rows[(rows["factor"] != CONTROL_FACTOR) & informative(rows) & shown]
    if rows.empty:
        said = [words("Nothing that was measured stays undecided.")] if len(effects) else []
        return Section(evidence=said)
    rows = rows.sort_values("headline", ascending=False, kind="stable")
    return Section(evidence=[words(_MEANING), _table(rows)])


def _table(rows: pd.DataFrame) -> Table:
    cells = [
        [
            Entry(str(row["arm"])),
            Entry(f"{row['column']} [{row['workload']}]"),
            Entry(text.change(row["effect"], row["effect_kind"], row["unit"])),
            Entry(text.reach(row["ci_low"], row["ci_high"], row["effect_kind"], row["unit"]) or "—"),
            Entry(text.either_way(row["noise_floor"], row["effect_kind"], row["unit"])),
            Entry(str(row["n"])),
            Entry(would_find(row)),
            Entry(n_needed(row) or "—"),
            Entry(row["note"]),
        ]
        for row in rows.to_dict("records")
    ]
    columns = [
        *("change", "metric", "effect", "95 % interval", "noise floor", "n", "would find", "n needed in all"),
        "note",
    ]
    return Table(columns, cells, f"Undecided ({len(cells)})", open=len(cells) <= 12)


TOPIC = Topic("undecided", "What could not be decided, and how precise it is", 80, build, summary="and why")

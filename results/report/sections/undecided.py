"""What could not be decided, and what would decide it."""

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.report.notes import effects_with_notes
from results.report.section import Entry, Section, Table, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.headline import column_names
from results.verdicts.divergence import DIVERGED


def build(run: Analysis, environment: str) -> Section:
    """Effects of one environment that are inconclusive for want of blocks, headline metrics first."""
    effects = effects_with_notes(run)
    effects = effects[effects["environment"] == environment]
    rows = effects.assign(column=column_names(effects))
    rows = rows[(rows["verdict"] == "inconclusive") & rows["effect"].notna() & ~rows["inert"]]
    rows = rows[(rows["factor"] != CONTROL_FACTOR) & (rows["metric"] != DIVERGED.name)]
    if rows.empty:
        return Section([words("Nothing that was measured stays undecided.")] if len(effects) else [])
    rows = rows.sort_values("headline", ascending=False, kind="stable")
    return Section([_table(rows)])


def _table(rows: pd.DataFrame) -> Table:
    cells = [
        [
            Entry(str(row["arm"])),
            Entry(f"{row['column']} [{row['workload']}]"),
            Entry(text.change(row["effect"], row["effect_kind"], row["unit"])),
            Entry(text.interval(row["ci_low"], row["ci_high"], row["effect_kind"], row["unit"]) or "—"),
            Entry(text.either_way(row["noise_floor"], row["effect_kind"], row["unit"])),
            Entry(str(row["n"])),
            Entry("—" if pd.isna(row["n_needed"]) else f"{row['n_needed']:,}"),
            Entry(row["note"]),
        ]
        for row in rows.to_dict("records")
    ]
    columns = ["arm", "metric", "effect so far", "95 % interval", "noise floor", "n", "n needed", "note"]
    return Table(columns, cells, f"Undecided ({len(cells)})", open=len(cells) <= 12)


TOPIC = Topic(
    "undecided", "What could not be decided, and what would decide it", 80, build, summary="and why"
)

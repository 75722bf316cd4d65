"""How small a difference this run can tell from noise, by what the baseline's own duplicate shows."""

import math
from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from results import plots
from results.records.resolved_study import CONTROL_FACTOR
from results.report.control_words import duplicates_that_differ, noise_floor
from results.report.effect_tables import effect_table
from results.report.findings import listed
from results.report.notes import effects_with_notes
from results.report.section import Bullets, Entry, Figure, Part, Section, Sentence, Table, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.headline import column_names, title
from results.tables.noise import beside_margins

MOST_NAMED = 4
Row = dict[Hashable, Any]
_CONTROL = (
    "The baseline ran against a duplicate of itself, and whatever difference that shows is noise. The noise "
    "floor of a metric, workload and mode is as far as the duplicate's own 95 % interval reaches there: a "
    "smaller effect drowns in the noise of this run.",
    "By chance alone one such interval in twenty leaves out no difference; where one does, it is said "
    "beside the metric. Where one does even when widened to hold for all A/A rows at once, chance no longer "
    "explains it, and the metric is invalid. Of exact figures the duplicate's must be equal.",
)


def build(run: Analysis, environment: str) -> Section:
    """The noise floor of one environment; empty where the baseline had no duplicate."""
    effects = effects_with_notes(run)
    effects = effects[effects["environment"] == environment]
    control = effects[effects["factor"] == CONTROL_FACTOR]
    control = control.assign(column=column_names(control))
    rows = beside_margins(run.study, run.noise_floor[run.noise_floor["environment"] == environment])
    data = {"noise_floor": run.noise_floor}
    if control.empty:
        return Section(data=data)
    differ = list(duplicates_that_differ(control))
    evidence: list[Part] = [words(*_CONTROL), *([Bullets(differ)] if differ else [])]
    evidence += [_table(rows)] if len(rows) else []
    caption = "Every row of the duplicate, its interval widened to hold for all at once"
    evidence.append(effect_table(control, "column", caption, is_open=False))
    told = [*_said(rows), *_exact(effects), *_differ(differ)]
    parts: list[Part] = [*([Bullets(told)] if told else []), *_figure(run, rows)]
    return Section(parts, data=data, evidence=evidence)


def _said(rows: pd.DataFrame) -> Iterator[Sentence]:
    """One sentence of the headline metrics, or of all where there is none; one of those that noise drowns."""
    failed = rows[rows["verdict"] == "failed"]
    if len(failed):
        yield Sentence(f"{listed(list(failed['name']))}.", "The control failed in:", "bad")
    shown = _headline(rows[rows["verdict"] != "failed"])
    if shown.empty:
        return
    # Infinite where there is no bound; metrics of which any difference counts come first, too.
    reach = (shown["noise_floor"] / shown["margin"]).fillna(math.inf)
    first = shown.loc[reach.sort_values(ascending=False, kind="stable").index[:MOST_NAMED]]
    clauses = [
        f"{row['name']} {noise_floor(row).lstrip('±')} (margin {_margin(row)})"
        for row in shown[shown.index.isin(first.index)].to_dict("records")
    ]
    more = len(shown) - len(clauses)
    clauses += [f"{more} more that reach less far beside their margins"] if more else []
    yield Sentence(f"{'; '.join(clauses)}.", "Differences below this drown in the noise of this run:")
    beyond = shown[~(shown["noise_floor"] <= shown["margin"])]
    if len(beyond):
        yield Sentence(
            f"{listed(list(beyond['name']))}: a difference that counts may drown there.",
            "Beyond the margin:",
            "warning",
        )
    else:
        yield Sentence("Each is smaller than its margin, so that a difference that counts can be seen.")


def _headline(rows: pd.DataFrame) -> pd.DataFrame:
    headline = rows[rows["headline"].astype(bool)]
    return headline if len(headline) else rows


def _margin(row: Row) -> str:
    return text.either_way(row["margin"], row["effect_kind"], row["unit"]).lstrip("±")


def _differ(told: list[Sentence]) -> Iterator[Sentence]:
    """Where the duplicate differs, in short: what it reads is said beside each of these metrics."""
    if told:
        names = listed([sentence.lead.removesuffix(":") for sentence in told])
        yield Sentence(
            f"{names}; by chance one in twenty does.", "The duplicate seems to differ in:", "warning"
        )


def _exact(effects: pd.DataFrame) -> Iterator[Sentence]:
    exact = effects[effects["exact"].astype(bool) & effects["headline"].astype(bool)]
    if len(exact):
        names = listed(list(dict.fromkeys(exact["label"])))
        said = f"{names}: the same in every process, so that any difference is real."
        yield Sentence(said, "Without noise:")


def _figure(run: Analysis, rows: pd.DataFrame) -> Iterator[Figure]:
    shown = _headline(rows)
    if len(shown):
        alt = f"Bar chart: the noise floor beside the margin of {', '.join(shown['name'])}."
        caption = "How small a difference can be told from noise, and is that small enough to count?"
        yield Figure("noise-floor", caption, alt, partial(plots.noise_floor, run.study, shown))


def _table(noise: pd.DataFrame) -> Table:
    rows = []
    for _, row in noise.iterrows():
        kind, unit = row["effect_kind"], row["unit"]
        mark = Entry("✗ failed", "invalid") if row["verdict"] == "failed" else Entry("✓ quiet")
        if row["verdict"] != "failed" and row["control_differs"]:
            mark = Entry("✓ quiet, but the interval leaves out no difference", "inconclusive")
        rows.append(
            [
                Entry(f"{title(row)} [{row['workload']}]"),
                Entry(noise_floor(row.to_dict())),
                Entry(text.either_way(row["margin"], kind, unit)),
                Entry(text.interval(row["ci_low"], row["ci_high"], kind, unit)),
                Entry(str(row["n"])),
                mark,
            ]
        )
    columns = ["metric", "noise floor", "margin", "95 % interval of baseline against duplicate", "n"]
    return Table([*columns, "the duplicate"], rows, "Noise floor")


TOPIC = Topic(
    "noise", "How small a difference can be seen", 65, build, summary="noise floor beside the margin"
)

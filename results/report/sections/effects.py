"""Every effect of every workload, and what the duplicate of the baseline shows."""

from collections.abc import Iterator

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.report.control_words import duplicates_that_differ, noise_floor
from results.report.effect_tables import effect_table
from results.report.notes import effects_with_notes
from results.report.section import Bullets, Entry, Group, Part, Section, Table, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.contexts import described
from results.tables.headline import column_names, title
from results.verdicts.divergence import informative

_CONTROL = (
    "The baseline ran against a duplicate of itself, and whatever difference that shows is noise. The noise "
    "floor of a metric, workload and mode is as far as the duplicate's own 95 % interval reaches there: a "
    "smaller effect drowns in the noise of this run.",
    "By chance alone one such interval in twenty leaves out no difference; where one does, it is said "
    "beside the metric. Where one does even when widened to hold for all A/A rows at once, chance no longer "
    "explains it, and the metric is invalid. Of exact figures the duplicate's must be equal.",
)


def build(run: Analysis, environment: str) -> Section:
    """All effects of one environment, workload by workload."""
    effects = effects_with_notes(run)
    effects = effects[effects["environment"] == environment]
    effects = effects.assign(column=column_names(effects))
    groups: list[Part] = [
        Group(
            f"{workload.name}: {described(run.study, workload)}",
            list(_tables(effects, workload.name)),
            folded=True,
        )
        for workload in run.study.workloads
        if workload.name in set(effects["workload"])
    ]
    noise = run.noise_floor[run.noise_floor["environment"] == environment]
    control = effects[effects["factor"] == CONTROL_FACTOR]
    if len(noise):
        parts: list[Part] = [
            words(*_CONTROL),
            _noise_table(noise),
            effect_table(control, "column", "Every A/A row, its interval widened to hold for all at once"),
        ]
        groups.append(Group("A/A control and noise floor", parts, folded=True))
    return Section(evidence=groups)


def _tables(effects: pd.DataFrame, workload: str) -> Iterator[Part]:
    """One table per metric and context, what its duplicate shows above it."""
    mine = effects[effects["workload"] == workload]
    rows = mine[(mine["factor"] != CONTROL_FACTOR) & informative(mine)]
    for column, group in rows.groupby("column", sort=False):
        told = list(duplicates_that_differ(mine[mine["column"] == column]))
        if told:
            yield Bullets(told)
        caption = str(column) or "nothing was measured"
        yield effect_table(group, "arm", caption, is_open=bool(group["headline"].any()))


def _noise_table(noise: pd.DataFrame) -> Table:
    rows = []
    for _, row in noise.iterrows():
        kind, unit = row["effect_kind"], row["unit"]
        mark = Entry("✗ failed", "invalid") if row["verdict"] == "failed" else Entry("✓ quiet")
        if row["verdict"] != "failed" and row["leaves_out_none"]:
            mark = Entry("✓ quiet, but the interval leaves out no difference", "inconclusive")
        rows.append(
            [
                Entry(f"{title(row)} [{row['workload']}]"),
                Entry(noise_floor(row.to_dict())),
                Entry(text.interval(row["ci_low"], row["ci_high"], kind, unit)),
                Entry(str(row["n"])),
                mark,
            ]
        )
    columns = ["metric", "noise floor", "95 % interval of baseline against duplicate", "n", "A/A control"]
    return Table(columns, rows, "Noise floor")


TOPIC = Topic(
    "effects", "Every effect, workload by workload", 70, build, summary="every effect, the A/A control"
)

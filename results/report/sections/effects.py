"""Every effect of every workload."""

from collections.abc import Iterator

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.report.control_words import duplicates_that_differ
from results.report.effect_tables import effect_table
from results.report.notes import effects_with_notes
from results.report.section import Bullets, Group, Part, Section, Topic
from results.tables.analysis import Analysis
from results.tables.contexts import described
from results.tables.headline import column_names
from results.verdicts.divergence import informative


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


TOPIC = Topic("effects", "Every effect, workload by workload", 70, build, summary="every effect")

"""What reaching the target takes: steps of the trainings, by the time of a step that was timed alone."""

from collections.abc import Iterator

import pandas as pd

from results.records.resolved_study import Workload
from results.report.effect_tables import verdict_entry
from results.report.section import Entry, Group, Part, Section, Table, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.contexts import described

_MEANING = (
    "Trainings run side by side, so that their own time says little. Here the steps to the target are "
    "multiplied with the time of a training step that was timed alone, in the same study, of the same arm, "
    "image size, batch and precision. The interval holds what is not known about either. Loading, "
    "augmentation and evaluation are not in it. Arms of which fewer than three trainings got there are left "
    "out."
)


def build(run: Analysis, environment: str) -> Section:
    """Costs in one environment; empty where no context was both trained in and timed."""
    found = run.target_cost[run.target_cost["environment"] == environment]
    if found.empty:
        return Section()
    groups: list[Part] = [
        Group(f"{workload.name}: {described(run.study, workload)}", list(_workload(workload, mine)))
        for workload in run.study.workloads
        if len(mine := found[found["workload"] == workload.name])
    ]
    return Section([words(_MEANING), *groups], data={"target_cost": run.target_cost})


def _workload(workload: Workload, rows: pd.DataFrame) -> Iterator[Part]:
    told = workload.settings.get("target")
    target = "the target" if told is None else f"{100 * float(told):g} % validation accuracy"
    for timed, mine in rows.groupby("timed_workload", sort=False):
        first = mine.iloc[0]
        known = mine["peak_bytes"].notna().any()
        shown = [
            [
                Entry("baseline"),
                Entry(text.value(first["baseline_steps"], "steps")),
                Entry(text.value(first["baseline_seconds"], "seconds")),
                *[Entry("")] * (3 + known),
            ]
        ]
        shown += [
            [
                Entry(row["arm"]),
                Entry(text.value(row["steps"], "steps")),
                Entry(text.value(row["seconds"], "seconds")),
                Entry(text.change(row["effect"], "ratio", "seconds")),
                Entry(text.interval(row["ci_low"], row["ci_high"], "ratio", "seconds")),
                verdict_entry(row),
                *([_peak(row["peak_bytes"], row["peak_source"])] if known else []),
            ]
            for row in mine.to_dict("records")
        ]
        columns = ["arm", "steps", "time alone", "change", "95 % interval", "verdict"]
        margin = text.margin(first["margin"], "ratio", "seconds")
        caption = f"To {target}, a step timed in {timed} (margin {margin})"
        yield Table([*columns, *(["peak memory of a step"] if known else [])], shown, caption)


def _peak(bytes_: float, source: str) -> Entry:
    return Entry("—" if pd.isna(bytes_) else text.value(bytes_, "bytes"), detail=source)


TOPIC = Topic(
    "target_cost",
    "What reaching the target takes",
    52,
    build,
    summary="steps to the target by the time of a step",
)

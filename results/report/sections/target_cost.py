"""What reaching the target takes: steps of the trainings, by the time of a step that was timed alone."""

from collections.abc import Iterator

import pandas as pd

from results.records.resolved_study import Workload
from results.report.effect_tables import verdict_entry
from results.report.findings import clauses
from results.report.section import Bullets, Entry, Group, Part, Section, Sentence, Table, Topic, words
from results.report.target_words import target
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.contexts import described

_MEANING = (
    "Trainings run side by side, so that their own time says little. Here the steps to the target are "
    "multiplied with the time of a training step that was timed alone, in the same study, of the same "
    "network, image size, batch and precision. The interval holds what is not known about either. Loading, "
    "augmentation and evaluation are not in it. Changes of which fewer than three trainings got there are "
    "left out."
)


def build(run: Analysis, environment: str) -> Section:
    """Costs in one environment; empty where no context was both trained in and timed."""
    found = run.target_cost[run.target_cost["environment"] == environment]
    if found.empty:
        return Section()
    told: list[Sentence] = []
    groups: list[Part] = []
    for workload in run.study.workloads:
        mine = found[found["workload"] == workload.name]
        if len(mine):
            where = described(run.study, workload)
            told += [
                _told(run, workload, rows, where) for _, rows in mine.groupby("timed_workload", sort=False)
            ]
            groups.append(Group(f"{workload.name}: {where}", list(_tables(run, workload, mine))))
    data = {"target_cost": run.target_cost}
    return Section([Bullets(told)], data=data, evidence=[words(_MEANING), *groups])


def _told(run: Analysis, workload: Workload, rows: pd.DataFrame, where: str) -> Sentence:
    first = rows.iloc[0]
    steps, seconds = (
        text.value(first[f"baseline_{name}"], unit)
        for name, unit in (("steps", "steps"), ("seconds", "seconds"))
    )
    baseline = f"the baseline takes {steps}, which last {seconds} where it runs alone"
    said = "; ".join(
        [baseline, *clauses(rows.assign(effect_kind="ratio", unit="seconds"), ("longer", "shorter"))]
    )
    return Sentence(
        f"{said} [{where}; a step timed in {first['timed_workload']}].", f"To {target(run, workload)}:"
    )


def _tables(run: Analysis, workload: Workload, rows: pd.DataFrame) -> Iterator[Part]:
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
        columns = ["change", "steps", "time alone", "change", "95 % interval", "verdict"]
        margin = text.margin(first["margin"], "ratio", "seconds")
        caption = f"To {target(run, workload)}, a step timed in {timed} (margin {margin})"
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

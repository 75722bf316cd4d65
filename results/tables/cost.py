"""What a run took: the seconds of its processes, by workload, arm and how they ended."""

from collections.abc import Iterable

import pandas as pd

from results.records.record import Record
from results.records.resolved_study import ResolvedStudy

COST_COLUMNS = ["environment", "workload", "kind", "arm", "role", "status", "trial", "attempt", "seconds"]


def cost(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per arm of a process, earlier attempts included, with the seconds of the whole process.

    One that went on from a checkpoint knows the time of its last process alone.

    Args:
        study: For the kinds of workloads and the roles of arms; the rows stand in its order.
        records: All of a run.
    """
    kinds = {workload.name: workload.kind for workload in study.workloads}
    roles = {arm.name: arm.role for arm in study.arms}
    rows = [
        (
            *(record.environment, record.workload, kinds[record.workload], outcome.arm, roles[outcome.arm]),
            *(outcome.status, record.trial, record.attempt, record.seconds),
        )
        for record in records
        for outcome in record.outcomes
    ]
    frame = pd.DataFrame(rows, columns=COST_COLUMNS)
    places = {name: place for place, name in enumerate([*kinds, *roles])}
    keys = [*("environment", "workload", "arm"), "trial", "attempt"]
    return frame.sort_values(
        keys,
        key=lambda names: names.map(places) if names.name in {"workload", "arm"} else names,
        kind="stable",
    ).reset_index(drop=True)


def shared(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with each arm's part of the seconds: all sum to those of the run.

    A process that held several arms counts for each in equal parts.

    Args:
        frame: As `cost` gives it, or `Run.trials`.
    """
    arms = frame.groupby(["environment", "trial", "attempt"])["arm"].transform("size")
    return frame.assign(seconds=frame["seconds"] / arms)

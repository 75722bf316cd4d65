"""What timed processes say beside their samples: how each arm was timed, what the machine did meanwhile."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from results.frames import samples as frames
from results.records.directory import latest
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy

_READINGS = ["seconds", "others_cores", "steal_share", "throttled_share", "clock_mhz", "energy_joules"]
_PROCESS = ["environment", "workload", "trial", "block"]
STRETCH_COLUMNS = [
    *(*_PROCESS, "arm", "mode", "schedule", "threads", *_READINGS, "device_throttling", "marks"),
]
TIMED_ARM_COLUMNS = [*(*_PROCESS, "arm", "role", "mode", "batch_size", "macs", "steps", "steady")]


def stretches(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per stretch of timed rounds between two readings of the machine's counters.

    `arm` is empty where a process holds several: they share what a stretch says, since they take turns
    within it. `marks` is a tuple of codes, why figures may not speak for the machine; a reading that was
    not taken is NaN. A record without such details has no row.
    """
    kinds = {workload.name: workload.kind for workload in study.workloads}
    rows: list[dict[str, Any]] = []
    for record in sorted(latest(records).values(), key=lambda one: (one.started_at, one.trial)):
        if kinds.get(record.workload) != "throughput":
            continue
        of_process = {name: getattr(record, name) for name in _PROCESS} | {
            "arm": record.outcomes[0].arm if len(record.outcomes) == 1 else "",
            "schedule": record.details.get("schedule"),
            "threads": record.details.get("threads"),
        }
        for mode, found in _mapping(record.details.get("machine")).items():
            columns = _mapping(found)
            for i in range(len(columns.get("seconds") or ())):
                readings = {name: _item(columns, name, i) for name in (*_READINGS, "device_throttling")}
                marks = {"marks": tuple(_item(columns, "marks", i) or ())}
                rows.append(of_process | {"mode": mode} | readings | marks)
    return _numbers(pd.DataFrame(rows, columns=STRETCH_COLUMNS), ["threads", *_READINGS])


def timed_arms(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per arm and mode of a timed process that ended well.

    `steps` were timed in all, `macs` are those of one image, `steady` says whether the warm-up ended in a
    steady state (True, False or None). A record without such details has no row.
    """
    rows: list[dict[str, Any]] = []
    for _, outcome, common in frames.outcomes_of(study, records):
        if common["kind"] != "throughput" or outcome.status != "ok":
            continue
        of_arm = {name: common[name] for name in (*_PROCESS, "arm", "role")} | {
            name: outcome.details.get(name) for name in ("batch_size", "macs")
        }
        for mode, found in _mapping(outcome.details.get("timing")).items():
            timing = _mapping(found)
            rows.append(of_arm | {"mode": mode} | {name: timing.get(name) for name in ("steps", "steady")})
    return _numbers(pd.DataFrame(rows, columns=TIMED_ARM_COLUMNS), ["batch_size", "macs", "steps"])


def marked(stretches: pd.DataFrame, code: str | None = None) -> "pd.Series[bool]":
    """For each stretch whether it bears the mark; without a code, any mark."""
    said = [bool(marks) if code is None else code in marks for marks in stretches["marks"]]
    return pd.Series(said, index=stretches.index, dtype=bool)


def _numbers(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    for name in names:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
    return frame


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _item(columns: dict[str, Any], name: str, i: int) -> Any:
    """The i-th reading, None where it was not taken."""
    readings = columns.get(name) or ()
    return readings[i] if i < len(readings) else None

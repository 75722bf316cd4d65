"""What timed processes say beside their samples: how each arm was timed, what the machine did meanwhile."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from results.frames import samples
from results.records.directory import latest
from results.records.record import MachineStretches, Record
from results.records.resolved_study import ResolvedStudy

_READINGS = ["seconds", "others_cores", "steal_share", "throttled_share", "clock_mhz", "energy_joules"]
_PROCESS = ["environment", "workload", "trial", "block"]
STRETCH_COLUMNS = [
    *(*_PROCESS, "arm", "mode", "schedule", "threads", *_READINGS, "device_throttling", "marks"),
]
_ARM_NUMBERS = ["batch_size", "macs", "steps", "built", "warmed_up"]
TIMED_ARM_COLUMNS = [*(*_PROCESS, "arm", "role", "mode", "steady", *_ARM_NUMBERS)]


def stretches(records: Iterable[Record]) -> pd.DataFrame:
    """One row per stretch of timed rounds between two readings of the machine's counters.

    `arm` is empty where a process holds several: they share what a stretch says, since they take turns
    within it. `marks` is a tuple of codes, why figures may not speak for the machine; a reading that was
    not taken is NaN. A record without such details has no row.
    """
    rows: list[dict[str, Any]] = []
    for record in sorted(latest(records).values(), key=lambda one: (one.started_at, one.trial)):
        of_process = {name: getattr(record, name) for name in _PROCESS} | {
            "arm": record.outcomes[0].arm if len(record.outcomes) == 1 else "",
            "schedule": record.details.get("schedule"),
            "threads": record.details.get("threads"),
        }
        for mode, found in record.details.get("machine", {}).items():
            rows += [of_process | {"mode": mode} | stretch for stretch in _stretches(found)]
    return _numbers(pd.DataFrame(rows, columns=STRETCH_COLUMNS), ["threads", *_READINGS])


def _stretches(found: MachineStretches) -> Iterable[dict[str, Any]]:
    columns: dict[str, Sequence[Any]] = {
        name: values for name, values in found.items() if isinstance(values, list)
    }
    marks = columns.get("marks", ())
    for i in range(len(columns.get("seconds", ()))):
        yield {
            **{name: _item(columns.get(name, ()), i) for name in (*_READINGS, "device_throttling")},
            "marks": tuple(_item(marks, i) or ()),
        }


def _item(readings: Sequence[Any], i: int) -> Any:
    """The i-th reading, None where it was not taken."""
    return readings[i] if i < len(readings) else None


def timed_arms(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per arm and mode of a timed process that ended well.

    `steps` were timed in all, `macs` are those of one image, `steady` says whether the warm-up ended in a
    steady state (True, False or None), `built` and `warmed_up` are the arm's places in its process, from 0.
    A record without such details has no row.
    """
    rows: list[dict[str, Any]] = []
    for _, outcome, common in samples.outcomes_of(study, records):
        if outcome.status != "ok":
            continue
        details = outcome.details
        of_arm = {name: common[name] for name in (*_PROCESS, "arm", "role")} | {
            "batch_size": details.get("batch_size"),
            "macs": details.get("macs"),
            "built": details.get("built"),
        }
        for mode, timing in details.get("timing", {}).items():
            told = {name: timing.get(name) for name in ("steps", "steady", "warmed_up")}
            rows.append(of_arm | {"mode": mode} | told)
    return _numbers(pd.DataFrame(rows, columns=TIMED_ARM_COLUMNS), _ARM_NUMBERS)


def marked(stretches: pd.DataFrame, code: str | None = None) -> "pd.Series[bool]":
    """For each stretch whether it bears the mark; without a code, any mark."""
    said = [bool(marks) if code is None else code in marks for marks in stretches["marks"]]
    return pd.Series(said, index=stretches.index, dtype=bool)


def _numbers(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    for name in names:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
    return frame

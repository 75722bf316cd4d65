"""Looks inside networks while they trained, as a tidy frame."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from results.frames import samples
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy

INSIDE_COLUMNS = [
    *("environment", "workload", "arm", "role", "status", "block", "step", "layer", "depth", "channels"),
    *("what", "value"),
]


def inside(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per look, layer and quantity; columns are those of `LayerCurves`.

    Trainings that diverged are here, too, up to the last look before: `status` tells them apart. A value
    that was no finite number, or that a look did not take of a layer, is NaN.
    """
    columns: dict[str, list[Any]] = {name: [] for name in INSIDE_COLUMNS}
    for _, outcome, common in samples.outcomes_of(study, records):
        for curves in outcome.details.get("inside") or ():
            layers, count = len(curves.layer), len(curves.layer) * len(curves.step)
            for name in ("environment", "workload", "arm", "role", "block"):
                columns[name] += [common[name]] * count
            columns["status"] += [outcome.status] * count
            columns["what"] += [curves.what] * count
            columns["step"] += [step for step in curves.step for _ in range(layers)]
            columns["layer"] += list(curves.layer) * len(curves.step)
            columns["depth"] += list(curves.depth) * len(curves.step)
            columns["channels"] += list(curves.channels) * len(curves.step)
            columns["value"] += [value for row in curves.values for value in row]
    frame = pd.DataFrame(columns)
    return frame.astype({"step": int, "depth": int, "channels": int, "value": float})

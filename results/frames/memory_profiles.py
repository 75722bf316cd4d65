"""Memory profiles: what is alive when, by category and module, and how an arm differs from the baseline."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import pandas as pd

from results.frames import samples
from results.records.profile_summary import ProfileSummary
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy

KEY_COLUMNS = ["environment", "workload", "arm", "mode", "source", "device"]
_OWN = [field.name for field in fields(ProfileSummary) if field.name not in KEY_COLUMNS]
PROFILE_COLUMNS = [*KEY_COLUMNS, "role", "variant", *_OWN]
_READING_ORDER = ("train", "inference", "simulated", "measured")


def profiles(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per (environment, workload, arm, mode, source, device); none where none was recorded.

    Columns are the fields of `ProfileSummary`. Workloads and arms stand in the study's order, training
    before inference, what is simulated before what is measured. Of several trials of the same row, the last
    one started counts.
    """
    rows = [
        {name: common[name] for name in ("environment", "workload", "arm", "role", "variant")}
        | {name: getattr(profile, name) for name in ("mode", "source", "device", *_OWN)}
        for _, outcome, common in samples.outcomes_of(study, records)
        if outcome.status == "ok"
        for profile in outcome.details.get("profiles") or ()
    ]
    frame = pd.DataFrame(rows, columns=PROFILE_COLUMNS, dtype=object)
    frame = frame.drop_duplicates(KEY_COLUMNS, keep="last")
    names = [*(w.name for w in study.workloads), *(arm.name for arm in study.arms), *_READING_ORDER]
    order = {name: i for i, name in enumerate(names)}
    by = ["environment", "workload", "arm", "mode", "source"]
    return frame.sort_values(by, key=lambda column: _ranks(column, order), kind="stable", ignore_index=True)


def _ranks(column: "pd.Series[Any]", order: dict[str, int]) -> "pd.Series[Any]":
    """Places in the order given; environments as they are named."""
    if column.name == "environment":
        return column
    return column.map(lambda name: order.get(name, len(order)))


def preferred(found: pd.DataFrame) -> pd.DataFrame:
    """Of each workload and mode the rows of its first source and device: simulated before measured."""
    kept = [
        group[(group["source"] == first["source"]) & (group["device"] == first["device"])]
        for _, group in found.groupby(["workload", "mode"], sort=False)
        for first in (group.sort_values("role", key=lambda r: r != "baseline", kind="stable").iloc[0],)
    ]
    return pd.concat(kept) if kept else found


def most_changed(found: pd.DataFrame) -> pd.DataFrame:
    """Of the training step in one workload the baseline's row, and that of the arm furthest from it.

    The distance is that of the logarithms of the peaks; of several arms equally far, the first. Without a
    baseline there is nothing to be far from, and no row.
    """
    baseline = found[found["role"] == "baseline"].head(1)
    arms = found[found["role"] == "arm"]
    if baseline.empty or arms.empty:
        return baseline
    ratio = arms["peak_bytes"].astype(float) / float(baseline["peak_bytes"].iloc[0])
    furthest = max(range(len(arms)), key=lambda i: max(ratio.iloc[i], 1 / ratio.iloc[i]))
    return pd.concat([baseline, arms.iloc[[furthest]]])


def top_level(saved_by_module: dict[str, int]) -> dict[str, int]:
    """Bytes by top-level module: `layer1.0.relu` counts for `layer1`, the model itself is `(model)`."""
    total: dict[str, int] = {}
    for module, nbytes in saved_by_module.items():
        name = module.split(".", 1)[0] or "(model)"
        total[name] = total.get(name, 0) + nbytes
    return total

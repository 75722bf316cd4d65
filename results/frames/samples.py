"""Records as tidy frames: one row per series of samples, per sample, per outcome, per point of a curve.

Only the last attempt of a (trial, environment) counts, and only outcomes with status `ok` contribute
samples and curves; what became of the others stands in the frame of outcomes.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from results.records.directory import latest
from results.records.record import Outcome, Record
from results.records.resolved_study import ResolvedStudy

TRIAL_COLUMNS = ["trial", "workload", "kind", "block", "occasion", "environment", "attempt", "started_at"]
ARM_COLUMNS = ["arm", "role", "variant"]
CONTEXT_COLUMNS = ["dataset", "input_size", "batch_size", "precision"]
_SERIES_COLUMNS = [
    *("trial", "workload", "kind", "metric", "unit", "mode", "split", "source", "device", *ARM_COLUMNS),
    *(*CONTEXT_COLUMNS, "environment", "block", "occasion", "pair"),
]
SERIES_COLUMNS = [*_SERIES_COLUMNS, "values", "started_at"]
MEASUREMENT_COLUMNS = [*_SERIES_COLUMNS, "round", "value", "started_at"]
OUTCOME_COLUMNS = [
    *(*TRIAL_COLUMNS, *ARM_COLUMNS, "status", "reason", "seconds", "log", "fingerprint"),
    *("censored", "invalid", "classes", "test_images"),
]
_OF_CURVE = ["environment", "workload", "block", "arm", "role"]
CURVE_COLUMNS = [*_OF_CURVE, "metric", "split", "step", "value"]


def series(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per measurement, its samples as an array (warm-up left out).

    `pair` is what a sample's partners share beside the round: the trial where a trial holds several arms,
    the block where it holds one.
    """
    units = {metric.name: metric.unit for metric in study.metrics}
    contexts = {w.name: tuple(getattr(w, name) for name in CONTEXT_COLUMNS) for w in study.workloads}
    rows = [
        (
            *(record.trial, record.workload, common["kind"], measurement.metric, units[measurement.metric]),
            *(measurement.mode, measurement.split, measurement.source, measurement.device),
            *(outcome.arm, common["role"], outcome.variant, *contexts[record.workload]),
            *(record.environment, record.block, common["occasion"]),
            record.trial if len(record.outcomes) > 1 else record.block,
            np.asarray(measurement.values, dtype=float),
            record.started_at,
        )
        for record, outcome, common in outcomes_of(study, records)
        if outcome.status == "ok"
        for measurement in outcome.measurements
    ]
    return pd.DataFrame(rows, columns=SERIES_COLUMNS)


def measurements(series: pd.DataFrame) -> pd.DataFrame:
    """One row per raw sample; `round` counts the samples of one measurement.

    Args:
        series: As `series` gives it.
    """
    if series.empty:
        return pd.DataFrame(columns=MEASUREMENT_COLUMNS)
    lengths = series["values"].map(len).to_numpy()
    long = series.drop(columns="values").iloc[np.repeat(np.arange(len(series)), lengths)]
    rounds = np.concatenate([np.arange(length) for length in lengths])
    values = np.concatenate(series["values"].tolist())
    return long.assign(round=rounds, value=values)[MEASUREMENT_COLUMNS].reset_index(drop=True)


def outcomes(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per (trial, arm): what became of it.

    `censored` and `invalid` map metrics to reasons; `classes` and `test_images` are those of a network that
    classifies, NaN elsewhere.
    """
    rows = [
        common
        | {
            "status": outcome.status,
            "reason": outcome.reason,
            "seconds": record.seconds,
            "log": record.details.get("log", ""),
            "fingerprint": outcome.details.get("fingerprint"),
            "censored": outcome.details.get("censored") or {},
            "invalid": outcome.details.get("invalid") or {},
            "classes": _whole(outcome.levels.get("num_classes")),
            "test_images": outcome.details.get("test_images", np.nan),
        }
        for record, outcome, common in outcomes_of(study, records)
    ]
    frame = pd.DataFrame(rows, columns=OUTCOME_COLUMNS)
    return frame.astype({"classes": float, "test_images": float})


def _whole(level: Any) -> float:
    return float(level) if str(level).isdecimal() and len(str(level)) < 10 else np.nan


def curves(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per point of a convergence curve."""
    found = [
        (tuple(common[name] for name in _OF_CURVE), curve)
        for _, outcome, common in outcomes_of(study, records)
        if outcome.status == "ok"
        for curve in outcome.curves
        if curve.step
    ]
    if not found:
        return pd.DataFrame(columns=CURVE_COLUMNS)
    # A row a curve, repeated for its points: a row a point in Python's own terms takes a gigabyte a million.
    rows = pd.DataFrame(
        [(*common, curve.metric, curve.split) for common, curve in found], columns=CURVE_COLUMNS[:-2]
    )
    long = rows.iloc[np.repeat(np.arange(len(found)), [len(curve.step) for _, curve in found])]
    steps = np.concatenate([np.asarray(curve.step, dtype=int) for _, curve in found])
    values = np.concatenate([np.asarray(curve.y, dtype=float) for _, curve in found])
    return long.assign(step=steps, value=values).reset_index(drop=True)


def outcomes_of(
    study: ResolvedStudy, records: Iterable[Record]
) -> Iterator[tuple[Record, Outcome, dict[str, Any]]]:
    """The outcomes of the last attempts, oldest first, with the columns all frames share."""
    kinds = {workload.name: workload.kind for workload in study.workloads}
    roles = {arm.name: arm.role for arm in study.arms}
    last = latest(records).values()
    for record in sorted(last, key=lambda r: (r.started_at, r.trial, r.environment)):
        of_trial = {name: getattr(record, name) for name in TRIAL_COLUMNS if name != "kind"}
        of_trial["kind"] = kinds[record.workload]
        for outcome in record.outcomes:
            of_arm = {"arm": outcome.arm, "role": roles[outcome.arm], "variant": outcome.variant}
            yield record, outcome, of_trial | of_arm

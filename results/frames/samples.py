"""Records as tidy frames: one row per sample, one per outcome, one per point of a curve.

Only the last attempt of a (trial, environment) counts, and only outcomes with status `ok` contribute
samples and curves; what became of the others stands in the frame of outcomes.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from results.records.directory import latest
from results.records.files import RecordError
from results.records.record import Outcome, Record
from results.records.resolved_study import ResolvedStudy

TRIAL_COLUMNS = ["trial", "workload", "kind", "block", "environment", "attempt", "started_at"]
ARM_COLUMNS = ["arm", "role", "variant"]
CONTEXT_COLUMNS = ["dataset", "input_size", "batch_size", "precision"]
MEASUREMENT_COLUMNS = [
    *("trial", "workload", "kind", "metric", "unit", "mode", "split", "source", "device", *ARM_COLUMNS),
    *(*CONTEXT_COLUMNS, "environment", "block", "pair", "round", "value", "started_at"),
]
OUTCOME_COLUMNS = [*TRIAL_COLUMNS, *ARM_COLUMNS, "status", "reason", "seconds", "fingerprint", "censored"]
CURVE_COLUMNS = [*TRIAL_COLUMNS, *ARM_COLUMNS, "metric", "split", "step", "value"]


def measurements(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per raw sample (warm-up left out).

    `round` counts the samples of one measurement. `pair` is what a sample's partners share beside the
    round: the trial where a trial holds several arms, the block where it holds one.

    Raises:
        RecordError: A record names a workload, arm or metric that the study does not have.
    """
    metrics = {metric.name: metric for metric in study.metrics}
    rows: list[dict[str, Any]] = []
    for record, outcome, common in outcomes_of(study, records):
        if outcome.status != "ok":
            continue
        workload = next(w for w in study.workloads if w.name == record.workload)
        context = {name: getattr(workload, name) for name in CONTEXT_COLUMNS}
        pair = record.trial if len(record.outcomes) > 1 else record.block
        for measurement in outcome.measurements:
            if measurement.metric not in metrics:
                raise RecordError(
                    f"record {record.file_name}: metric {measurement.metric!r} is not in the study"
                )
            row = common | context | {"pair": pair, "metric": measurement.metric}
            row |= {"unit": metrics[measurement.metric].unit}
            row |= {name: getattr(measurement, name) for name in ("mode", "split", "source", "device")}
            rows += [row | {"round": i, "value": value} for i, value in enumerate(measurement.values)]
    return pd.DataFrame(rows, columns=MEASUREMENT_COLUMNS)


def outcomes(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per (trial, arm): what became of it."""
    rows = [
        common
        | {
            "status": outcome.status,
            "reason": outcome.reason,
            "seconds": record.seconds,
            "fingerprint": outcome.details.get("fingerprint"),
            "censored": outcome.details.get("censored") or {},
        }
        for record, outcome, common in outcomes_of(study, records)
    ]
    return pd.DataFrame(rows, columns=OUTCOME_COLUMNS)


def curves(study: ResolvedStudy, records: Iterable[Record]) -> pd.DataFrame:
    """One row per point of a convergence curve."""
    rows = [
        common | {"metric": curve.metric, "split": curve.split, "step": step, "value": value}
        for _, outcome, common in outcomes_of(study, records)
        if outcome.status == "ok"
        for curve in outcome.curves
        for step, value in zip(curve.step, curve.y, strict=True)
    ]
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)


def outcomes_of(
    study: ResolvedStudy, records: Iterable[Record]
) -> Iterator[tuple[Record, Outcome, dict[str, Any]]]:
    """The outcomes of the last attempts, oldest first, with the columns all frames share."""
    kinds = {workload.name: workload.kind for workload in study.workloads}
    roles = {arm.name: arm.role for arm in study.arms}
    last = latest(records).values()
    for record in sorted(last, key=lambda r: (r.started_at, r.trial, r.environment)):
        if record.workload not in kinds:
            raise RecordError(
                f"record {record.file_name}: workload {record.workload!r} is not in the study; "
                f"expected one of {', '.join(kinds)}"
            )
        for outcome in record.outcomes:
            if outcome.arm not in roles:
                raise RecordError(f"record {record.file_name}: arm {outcome.arm!r} is not in the study")
            yield (
                record,
                outcome,
                {
                    **{name: getattr(record, name) for name in TRIAL_COLUMNS if name != "kind"},
                    "kind": kinds[record.workload],
                    "arm": outcome.arm,
                    "role": roles[outcome.arm],
                    "variant": outcome.variant,
                },
            )

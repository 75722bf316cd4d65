"""Whether a record can be believed: it fits its study, and each value can be one of its metric's."""

from collections.abc import Callable, Mapping

import numpy as np

from results.records.metric import Metric
from results.records.record import Curve, Measurement, Outcome, Record
from results.records.resolved_study import EXACT, ResolvedStudy, Workload

_Metrics = Mapping[str, Metric]
_WORDS: dict[str, tuple[str | None, ...]] = {
    "mode": (None, "train", "inference"),
    "split": (None, "train", "validation", "test"),
    "source": ("simulated", "measured", "observed"),
}


def disbeliefs(study: ResolvedStudy) -> Callable[[Record], str | None]:
    """What says of a record the first field that cannot be believed, and why; None where all can be."""
    workloads = {workload.name: workload for workload in study.workloads}
    metrics = {metric.name: metric for metric in study.metrics}
    arms = {arm.name for arm in study.arms}

    def disbelief(record: Record) -> str | None:
        workload = workloads.get(record.workload)
        if workload is None:
            known = ", ".join(workloads)
            return f"workload is {record.workload!r}, which is not in the study; expected one of {known}"
        unit = record.block.partition("-")[0]
        if unit != workload.block_unit or (record.occasion and unit != "process"):
            return f"block is {record.block!r}; expected {_expected_block(workload)}"
        for index, outcome in enumerate(record.outcomes):
            if outcome.arm not in arms:
                return f"outcomes[{index}].arm is {outcome.arm!r}, which is not in the study"
            reason = _in_outcome(outcome, metrics)
            if reason is not None:
                return f"outcomes[{index}].{reason}"
        return None

    return disbelief


def _expected_block(workload: Workload) -> str:
    return EXACT if workload.block_unit == EXACT else f"{workload.block_unit}-0 and so on"


def _in_outcome(outcome: Outcome, metrics: _Metrics) -> str | None:
    for index, measurement in enumerate(outcome.measurements):
        reason = _in_measurement(measurement, metrics)
        if reason is not None:
            return f"measurements[{index}].{reason}"
    for index, curve in enumerate(outcome.curves):
        reason = _in_curve(curve, metrics)
        if reason is not None:
            return f"curves[{index}].{reason}"
    return None


def _in_measurement(measurement: Measurement, metrics: _Metrics) -> str | None:
    metric = metrics.get(measurement.metric)
    if metric is None:
        return f"metric is {measurement.metric!r}, which is not in the study"
    for name, words in _WORDS.items():
        found = getattr(measurement, name)
        if found not in words:
            return f"{name} is {found!r}; expected one of {', '.join(word for word in words if word)}"
    if not measurement.values:
        return "values is empty; expected one sample at least"
    values = np.asarray(measurement.values)
    for i in {int(values.argmin()), int(values.argmax())}:
        reason = metric.disbelief(float(values[i]))
        if reason is not None:
            return f"values[{i}] is {values[i]:g}; {reason}"
    return None


def _in_curve(curve: Curve, metrics: _Metrics) -> str | None:
    metric = metrics.get(curve.metric)
    for i, y in enumerate(curve.y if metric else ()):
        reason = metric.disbelief(y) if metric else None
        if reason is not None:
            return f"y[{i}] is {y:g}; {reason}"
    return None

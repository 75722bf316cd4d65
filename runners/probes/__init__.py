"""What is measured, one folder a probe (or one file of a plugin), found by discovery and listed nowhere.

A folder tells what it measures without PyTorch: `settings.py`, `metrics.py` and, in `__init__.py`, the
probe, whose `run` imports what measures when it is called. No probe imports from another one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from results.records.metric import Metric
from results.records.record import Outcome, RecordDetails
from runners.registry import Registry
from runners.trial import Trial
from runners.workload_settings import Mode, WorkloadSettings

__all__ = ["Mode", "Probe", "Result", "WorkloadSettings", "get", "metrics", "probes", "source"]


@dataclass(frozen=True, slots=True)
class Result:
    """What a probe made of a trial.

    Attributes:
        outcomes: One per arm.
        details: What concerns the whole process.
    """

    outcomes: tuple[Outcome, ...]
    details: RecordDetails = field(default_factory=RecordDetails)


@dataclass(frozen=True, slots=True)
class Probe:
    """How one kind of workload is measured.

    Attributes:
        kind: The workload's kind, as study files write it.
        summary: One line for listings.
        settings: The keys of such a workload.
        metrics: What it measures.
        block_unit: What n counts.
        wave: Trials of a lower wave run first.
        control: Whether the duplicate of the baseline runs too; exact metrics need none.
        timed: Whether its processes must have the machine to themselves.
        run: Measures a trial in the process it is called in.
        estimate_seconds: (settings, MACs of each arm for one image, MACs a second that a common convolution
            reaches on the trial's cores) to a forecast for one trial.
        of_baseline: Whether the baseline alone is run: what is found belongs to no arm.
        runs_through: Files found by discovery that it runs through, too.
    """

    kind: str
    summary: str
    settings: type[WorkloadSettings]
    metrics: tuple[Metric, ...]
    block_unit: str
    wave: int
    control: bool
    timed: bool
    run: Callable[[Trial], Result]
    estimate_seconds: Callable[[Any, list[int], float], float]
    of_baseline: bool = False
    runs_through: Callable[[], Iterable[Path]] = tuple


REGISTRY = Registry(
    __name__,
    "PROBE",
    "workload kind",
    Probe,
    lambda probe: probe.kind,
    parts=("metric", lambda probe: (metric.name for metric in probe.metrics)),
)


def probes() -> dict[str, Probe]:
    """Every probe by its kind, in the order in which their trials run."""
    return dict(sorted(REGISTRY.all().items(), key=lambda entry: (entry[1].wave, entry[0])))


def get(kind: str) -> Probe:
    """Look a probe up.

    Raises:
        BadInput: There is none of that kind.
    """
    return REGISTRY.get(kind)


def source(kind: str) -> Path:
    """The file that a probe is written in; of a folder its `__init__.py`.

    Raises:
        BadInput: As `get`.
    """
    return REGISTRY.source(kind)


def metrics() -> dict[str, Metric]:
    """Every metric by name."""
    return {metric.name: metric for probe in probes().values() for metric in probe.metrics}

"""What is measured, one probe a file; every file here is found by discovery and listed nowhere."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ablations.factor import Level, format_level, nearest
from results.records.metric import Metric
from results.records.record import Outcome, RecordDetails
from results.records.resolved_study import RelationKind, Stopping
from runners.errors import BadInput
from runners.trial import Trial

Mode = Literal["train", "inference"]


class WorkloadSettings(BaseModel):
    """What every workload of a study file has; a probe adds its own keys.

    Attributes are the keys of a `[[workloads]]` table.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    name: str = Field("", pattern=r"[A-Za-z0-9_.-]*", description="unique in the study; the kind by default")
    levels: dict[str, str] = Field({}, description="the context: levels that all arms share")
    image_size: int = Field(224, ge=1, le=8192, description="height and width in pixels")

    @field_validator("levels", mode="before")
    @classmethod
    def _levels_as_text(cls, value: object) -> object:
        return {key: as_text(level) for key, level in value.items()} if isinstance(value, dict) else value

    @property
    def replicates(self) -> int:
        """How many blocks the workload has."""
        return 1

    @property
    def context(self) -> str:
        """What the workload's name does not say, in a few words."""
        return ""

    @property
    def interleaved(self) -> bool:
        """Whether all arms share a process (True), or each has its own."""
        return False

    @property
    def stopping(self) -> Stopping | None:
        """When blocks beyond `replicates` are not worth it; None where there are none."""
        return None

    @property
    def companions(self) -> tuple[tuple[RelationKind, "WorkloadSettings"], ...]:
        """Workloads that come with this one, each with how it belongs to it."""
        return ()


def as_text(level: object) -> object:
    """A level as TOML has it (3, true, "deep64", [3, 2]) in the words of a specification."""
    if isinstance(level, list):
        level = tuple(level)
    return format_level(level) if isinstance(level, Level) else level


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


@cache
def probes() -> dict[str, Probe]:
    """Every probe by its kind."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)
    ]
    found: list[Probe] = [module.PROBE for module in modules]
    return {probe.kind: probe for probe in sorted(found, key=lambda probe: (probe.wave, probe.kind))}


def get(kind: str) -> Probe:
    """Look a probe up.

    Raises:
        BadInput: There is none of that kind.
    """
    if kind not in probes():
        raise BadInput(f"no workload kind {kind!r}{nearest(kind, probes())}")
    return probes()[kind]


def metrics() -> dict[str, Metric]:
    """Every metric by name."""
    return {metric.name: metric for probe in probes().values() for metric in probe.metrics}

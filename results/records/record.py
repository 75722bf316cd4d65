"""The record: what one trial left behind, written once and never changed."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from results.records.files import SCHEMA_VERSION
from results.records.inside import LayerCurves
from results.records.profile_summary import ProfileSummary
from results.records.values import STRICT, Count, FileName, Free, Number, Positive, Seconds, Share, Text

Status = Literal[
    "ok", "out_of_memory", "diverged", "not_applicable", "failed", "timed_out", "killed"
]  # mild to severe
FINAL_STATUSES: frozenset[Status] = frozenset({"ok", "out_of_memory", "diverged", "not_applicable"})
"""Never run again on resume; `failed` only where it is asked for, the others always."""

_OPEN = ConfigDict(extra="allow", allow_inf_nan=False, strict=True)
"""Further details are kept as they are."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Raw samples of one metric from one arm of one trial.

    Attributes:
        metric: Name of a metric in the study.
        values: One sample a round (throughput) or a single value; in the metric's unit.
        warmup: Samples taken before the steady state, kept but never analysed.
        mode: `train`, `inference` or None where the metric has no mode.
        split: `train`, `validation`, `test` or None.
        source: `simulated`, `measured` or `observed`.
        device: What the value holds for, e.g. `cpu`, `cuda:0`, or the target of a simulation.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    metric: Text
    values: tuple[Number, ...]
    source: Text
    device: Text
    warmup: tuple[Number, ...] = ()
    mode: Text | None = None
    split: Text | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric over the course of training: `y[i]` was evaluated after `step[i]` optimizer steps."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    metric: Text
    split: Text
    step: tuple[Count, ...]
    y: tuple[Number, ...]

    def __post_init__(self) -> None:
        if len(self.step) != len(self.y):
            raise ValueError(f"curve {self.metric}: {len(self.step)} steps but {len(self.y)} values")


class Timing(TypedDict, total=False):
    """How an arm was timed in one mode: steps taken, and whether its warm-up ended in a steady state.

    `warmed_up` is its place in the order of warming up, from 0.
    """

    __pydantic_config__ = _OPEN  # type: ignore[misc]

    steps: Count
    steps_per_block: Count
    warmup_steps: Count
    steady: bool | None
    warmed_up: Count


class OutcomeDetails(TypedDict, total=False):
    """What a reader may want that is no metric.

    `fingerprint` digests operators, shapes and outputs; `censored` and `invalid` name the metrics that have
    no number, or none that can be believed, and why; `profiles` are those of a memory workload; `macs` are
    of one image, `timing` is by mode, `built` the place in the order of building, from 0; `inside` is
    what looks at a training found by layer; `more` is a probe's own.
    """

    __pydantic_config__ = _OPEN  # type: ignore[misc]

    fingerprint: Text
    censored: dict[Text, Text]
    invalid: dict[Text, Text]
    profiles: list[ProfileSummary]
    batch_size: Positive
    macs: Count
    timing: dict[Text, Timing]
    built: Count
    output_shape: list[Count]
    learning_rate: Number
    train_images: Count
    validation_images: Count
    test_images: Count
    inside: list[LayerCurves]
    more: dict[Text, Free]


class MachineStretches(TypedDict, total=False):
    """The machine's state by stretch of timed rounds, a list a counter, and why a stretch is marked."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]

    seconds: list[Seconds]
    others_cores: list[Number | None]
    steal_share: list[Share | None]
    throttled_share: list[Number | None]
    clock_mhz: list[Number | None]
    device_throttling: list[Text | None]
    energy_joules: list[Number | None]
    marks: list[list[Text]]


class RecordDetails(TypedDict, total=False):
    """What concerns a whole trial; `log` names the file that holds what it printed.

    `resumed_at_step` has the steps after which a training went on from a checkpoint, the last one last; what
    is said of the process, `Record.seconds` among it, is then of the last process alone.
    """

    __pydantic_config__ = _OPEN  # type: ignore[misc]

    threads: Positive
    load_at_start: Number | None
    resident_bytes: Count
    schedule: Text
    cores: list[Count]
    block_seconds: Seconds
    heap_bytes_filled: Count
    timer: dict[Text, Number]
    machine: dict[Text, MachineStretches]
    seconds_by_phase: dict[Text, Annotated[float, Field(ge=-1, le=1e9)]]
    log: Text
    resumed_at_step: list[Count]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one arm in a trial.

    Attributes:
        arm: The arm's name in the study.
        variant: Canonical specification of the variant, for people.
        levels: Every level of the variant, so that a changed default never changes an old record.
        status: See `Status`.
        reason: Why the status is not `ok`, in one line.
        measurements: Raw samples.
        curves: Convergence curves.
        details: See `OutcomeDetails`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    arm: Text
    variant: Text
    levels: dict[Text, Free]
    status: Status = "ok"
    reason: Text | None = None
    measurements: tuple[Measurement, ...] = ()
    curves: tuple[Curve, ...] = ()
    details: OutcomeDetails = field(default_factory=OutcomeDetails)


def block_on(block: str, occasion: int) -> str:
    """The name of a block on an occasion; on the first one, 0, it is the block's own."""
    return f"{block}@{occasion}" if occasion else block


def occasion_of(block: str) -> int:
    """The occasion in the name of a block; the inverse of `block_on`."""
    return int(block.partition("@")[2] or 0)


def number_of(block: str) -> int:
    """`process-7` is 7, on every occasion; 0 where there is one block."""
    number = block.partition("@")[0].rpartition("-")[2]
    return int(number) if number.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Record:
    """One trial, as it ended.

    Attributes:
        trial: The trial's id, a hash of what defines it.
        workload: Name of the workload in the study.
        block: What the trial shares with the trials it is compared with, e.g. `process-2`, `seed-3`, `exact`;
            `process-2@1` is the same block on the second occasion.
        environment: Id of the environment the trial ran in.
        attempt: 1 for the first try.
        started_at: UTC, ISO 8601.
        seconds: Wall time from the start of the process to the record.
        outcomes: One per arm.
        details: See `RecordDetails`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    trial: FileName
    workload: Text
    block: Annotated[str, Field(pattern=r"^(exact|[a-z_]{1,40}-\d{1,9}(@[1-9]\d{0,3})?)$")]
    environment: FileName
    attempt: Positive
    started_at: Text
    seconds: Seconds
    outcomes: tuple[Outcome, ...]
    details: RecordDetails = field(default_factory=RecordDetails)
    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if not self.outcomes:
            raise ValueError(f"record of trial {self.trial}: no outcome; every arm of a trial has one")
        names = [outcome.arm for outcome in self.outcomes]
        if len(set(names)) < len(names):
            raise ValueError(f"record of trial {self.trial}: an arm has two outcomes")

    @property
    def status(self) -> Status:
        """The most severe status of its arms."""
        severity = get_args(Status)
        return max((outcome.status for outcome in self.outcomes), key=severity.index)

    @property
    def block_number(self) -> int:
        """`process-7` is 7; see `number_of`."""
        return number_of(self.block)

    @property
    def occasion(self) -> int:
        """On which occasion it ran, 0 the first: `process-7@2` is 2."""
        return occasion_of(self.block)

    @property
    def file_name(self) -> str:
        """`<trial>-<environment>-<attempt>.json`."""
        return f"{self.trial}-{self.environment}-{self.attempt}.json"

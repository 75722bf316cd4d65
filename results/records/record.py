"""The record: what one trial left behind, written once and never changed.

A run directory holds `study.json`, `environment/<id>.json`, `plan/<environment>.json` and
`records/<trial>-<environment>-<attempt>.json`. Directories of one study from several machines merge by
copying files.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

SCHEMA_VERSION = 1

Status = Literal[
    "ok", "out_of_memory", "diverged", "not_applicable", "failed", "timed_out", "killed"
]  # mild to severe
FINAL_STATUSES: frozenset[Status] = frozenset({"ok", "out_of_memory", "diverged", "not_applicable"})
"""Never run again on resume; `failed` only where it is asked for, the others always."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class RecordError(ValueError):
    """A file is no record of this schema; the message names the file and what is wrong with it."""


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

    metric: str
    values: tuple[float, ...]
    source: str
    device: str
    warmup: tuple[float, ...] = ()
    mode: str | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric over the course of training: `y[i]` was evaluated after `step[i]` optimizer steps."""

    metric: str
    split: str
    step: tuple[int, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.step) != len(self.y):
            raise ValueError(f"curve {self.metric}: {len(self.step)} steps but {len(self.y)} values")


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
        details: Anything a reader may want that is no metric (the fingerprint, counts by category).
    """

    arm: str
    variant: str
    levels: dict[str, Any]
    status: Status = "ok"
    reason: str | None = None
    measurements: tuple[Measurement, ...] = ()
    curves: tuple[Curve, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One trial, as it ended.

    Attributes:
        trial: The trial's id, a hash of what defines it.
        workload: Name of the workload in the study.
        block: What the trial shares with the trials it is compared with, e.g. `process-2`, `seed-3`, `exact`.
        environment: Id of the environment the trial ran in.
        attempt: 1 for the first try.
        started_at: UTC, ISO 8601.
        seconds: Wall time from the start of the process to the record.
        outcomes: One per arm.
        details: What concerns the whole trial (threads, order of the rounds).
    """

    trial: str
    workload: str
    block: str
    environment: str
    attempt: int
    started_at: str
    seconds: float
    outcomes: tuple[Outcome, ...]
    details: dict[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if not self.outcomes:
            raise ValueError(f"record of trial {self.trial}: no outcome; every arm of a trial has one")

    @property
    def status(self) -> Status:
        """The most severe status of its arms."""
        severity = get_args(Status)
        return max((outcome.status for outcome in self.outcomes), key=severity.index)

    @property
    def file_name(self) -> str:
        """`<trial>-<environment>-<attempt>.json`."""
        return f"{self.trial}-{self.environment}-{self.attempt}.json"


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader sees the whole file or none: temporary file, fsync, atomic rename.

    Raises:
        ValueError: A number is NaN or infinite, which JSON cannot hold.
    """
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_record(run: Path, record: Record) -> Path:
    """Write a record into a run directory.

    Raises:
        FileExistsError: The attempt was recorded before; records are immutable.
    """
    if not _SAFE_NAME.fullmatch(record.file_name):
        raise ValueError(f"record name {record.file_name!r} may hold letters, digits, _, - and . only")
    path = run / "records" / record.file_name
    if path.exists():
        raise FileExistsError(f"{path} exists; a record is never overwritten")
    write_json(path, asdict(record))
    return path


def read_record(path: Path) -> Record:
    """Read one record.

    Raises:
        RecordError: The file is not JSON, of another schema version, or lacks a field.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path}: not a readable JSON file ({error})") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise RecordError(f"{path}: schema version {version!r}, expected {SCHEMA_VERSION}")
    try:
        return _record(content)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{path}: not a record ({error!r})") from error


def _record(content: dict[str, Any]) -> Record:
    outcomes = tuple(
        Outcome(
            **outcome
            | {
                "measurements": tuple(
                    Measurement(**m | {"values": tuple(m["values"]), "warmup": tuple(m["warmup"])})
                    for m in outcome["measurements"]
                ),
                "curves": tuple(
                    Curve(**c | {"step": tuple(c["step"]), "y": tuple(c["y"])}) for c in outcome["curves"]
                ),
            }
        )
        for outcome in content["outcomes"]
    )
    return Record(**content | {"outcomes": outcomes})


def read_records(run: Path) -> Iterator[Record]:
    """All records of a run directory, in the order of their file names.

    Raises:
        RecordError: A file in `records/` is no record.
    """
    for path in sorted((run / "records").glob("*.json")):
        yield read_record(path)


def write_plan(run: Path, environment: str, trials: Iterable[str]) -> None:
    """Write which trials an environment's run consists of; what was recorded for others is superseded."""
    content = {"schema_version": SCHEMA_VERSION, "trials": sorted(trials)}
    write_json(run / "plan" / f"{environment}.json", content)


def read_plans(run: Path) -> dict[str, frozenset[str]]:
    """The ids of the trials planned, by environment.

    Raises:
        RecordError: A file in `plan/` is no plan.
    """
    plans = {}
    for path in sorted((run / "plan").glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            plans[path.stem] = frozenset(map(str, content["trials"]))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise RecordError(f"{path}: not a plan ({error!r})") from error
    return plans


def latest(records: Iterable[Record]) -> dict[tuple[str, str], Record]:
    """The last attempt by (trial, environment)."""
    newest: dict[tuple[str, str], Record] = {}
    for record in records:
        key = (record.trial, record.environment)
        if key not in newest or record.attempt > newest[key].attempt:
            newest[key] = record
    return newest

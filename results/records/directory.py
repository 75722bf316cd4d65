"""A run directory: what is in it, read with care, and written so that nothing is ever half there.

It holds `study.json`, `environment/<id>.json`, `plan/<environment>.json`, `benchmarks/<id>.json` and
`records/<trial>-<environment>-<attempt>.json`, or parts of many records (see `results.records.parts`).
Directories of one study from several machines merge: see `results.records.merge`.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from results.records import parts
from results.records.believe import disbeliefs
from results.records.files import SCHEMA_VERSION, RecordError, StorageError, parse, write_json
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy
from results.records.values import STRICT, Free, Seconds, Text

_FACTS = TypeAdapter(dict[Text, Free])


@dataclass(frozen=True, slots=True)
class Disbelieved:
    """A file that was left out, and why: the field and what is wrong with it."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """That a budget ended a run before its plan was done.

    Attributes:
        budget_seconds: The budget.
        seconds_left: Forecast of what would have completed the plan, report included.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    budget_seconds: Seconds
    seconds_left: Seconds


@dataclass(frozen=True, slots=True)
class _PlanFile:
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    trials: tuple[str, ...]
    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)]
    stop: Stop | None = None


_PLAN = TypeAdapter(_PlanFile)


def write_record(run: Path, record: Record) -> Path:
    """Write a record into a run directory.

    Raises:
        FileExistsError: The attempt was recorded before; records are immutable.
        StorageError: It cannot be written.
    """
    path = run / "records" / record.file_name
    if path.exists():
        raise FileExistsError(f"{path} exists; a record is never overwritten")
    write_json(path, record)
    return path


def read_record(path: Path) -> Record:
    """Read one record from a file of its own.

    Raises:
        RecordError: The file is not a record of this schema, or does not hold what its name says.
    """
    try:
        return parts.file_entry(path).record()
    except RecordError as error:
        raise RecordError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


def parse_record(text: str, source: str) -> Record:
    """A record from the JSON that a file of it holds.

    Args:
        text: The JSON.
        source: Where it comes from, for the message.

    Raises:
        RecordError: It is not a record of this schema.
    """
    try:
        return parts.parsed(text)
    except RecordError as error:
        raise RecordError(f"{source}: {error}") from error


def read_records(
    run: Path, study: ResolvedStudy | None = None, known: Container[str] = ()
) -> tuple[list[Record], list[Disbelieved]]:
    """All records of a run directory in the order of their file names, and the files that are left out.

    A file that is no record, or holds what its study does not know or no metric can be, is left out whole:
    it takes no other with it.

    Args:
        run: The run directory.
        study: What the records must fit; None for no such check.
        known: Names of records that are passed over, having been read before.
    """
    disbelief = disbeliefs(study) if study is not None else _any_fits
    records: dict[str, Record] = {}
    damaged: list[tuple[Path, str]] = []
    for path, entry in parts.entries(run, damaged, known):
        within = "" if path.name == entry.name else f"{entry.name}: "
        try:
            record = entry.record()
        except RecordError as error:
            damaged.append((path, f"{within}{error}"))
            continue
        reason = disbelief(record)
        if reason is None:
            records[entry.name] = record
        else:
            damaged.append((path, f"{within}not to be believed: {reason}"))
    return [records[name] for name in sorted(records)], [Disbelieved(*one) for one in sorted(damaged)]


def _any_fits(_: Record) -> None:
    """Where there is no study to fit."""


def write_plan(run: Path, environment: str, trials: Iterable[str], stop: Stop | None = None) -> None:
    """Write which trials an environment's run consists of; what was recorded for others is superseded.

    Args:
        run: The run directory.
        environment: Id of the environment.
        trials: Ids of the trials.
        stop: That a budget ended the run before all of them had been run.
    """
    write_json(run / "plan" / f"{environment}.json", _PlanFile(tuple(sorted(trials)), SCHEMA_VERSION, stop))


def read_plans(run: Path) -> dict[str, frozenset[str]]:
    """The ids of the trials planned, by environment.

    Raises:
        RecordError: A file in `plan/` is no plan.
    """
    return {path.stem: frozenset(parse(path, _PLAN, "a plan").trials) for path in _files(run / "plan")}


def read_stops(run: Path) -> dict[str, Stop]:
    """By environment, that a budget ended its last run.

    Raises:
        RecordError: As `read_plans`.
    """
    plans = {path.stem: parse(path, _PLAN, "a plan") for path in _files(run / "plan")}
    return {environment: plan.stop for environment, plan in plans.items() if plan.stop is not None}


def write_environment(run: Path, environment: str, facts: dict[str, Free]) -> None:
    """Write what is known about a machine."""
    write_json(run / "environment" / f"{environment}.json", facts)


def read_environments(run: Path) -> dict[str, dict[str, Free]]:
    """What is known about each machine, by its id.

    Raises:
        RecordError: A file in `environment/` is not a flat description.
    """
    return {path.stem: parse(path, _FACTS, "an environment") for path in _files(run / "environment")}


def current(records: Iterable[Record], plans: dict[str, frozenset[str]]) -> Iterator[Record]:
    """The records of trials that are planned: those of an earlier version of the study are left out."""
    return (r for r in records if r.environment not in plans or r.trial in plans[r.environment])


def latest(records: Iterable[Record]) -> dict[tuple[str, str], Record]:
    """The last attempt by (trial, environment)."""
    newest: dict[tuple[str, str], Record] = {}
    for record in records:
        key = (record.trial, record.environment)
        if key not in newest or record.attempt > newest[key].attempt:
            newest[key] = record
    return newest


def own_folder(run: Path, name: str) -> Path:
    """A folder within a run directory to write into, made if there is none.

    Raises:
        StorageError: Something else stands in its place: a file, or a link that leads out of the directory.
    """
    folder = run / name
    if folder.is_symlink():
        raise StorageError(f"{folder}: is a link; what it leads to is not written to, remove the link")
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder}: is a file where a folder belongs; move it away")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))

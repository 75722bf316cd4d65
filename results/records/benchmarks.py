"""Imported benchmarks: what pytest-benchmark timed, one immutable file `benchmarks/<id>.json` per process.

As records do, they merge by copying files.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from results.records.directory import Disbelieved, write_environment
from results.records.files import SCHEMA_VERSION, RecordError, dump, parse, write_json
from results.records.metric import Metric
from results.records.resolved_study import Arm, ResolvedStudy, write_study
from results.records.values import LONGEST_SECONDS, STRICT, Free, Text

Seconds = Annotated[float, Field(ge=1e-12, le=LONGEST_SECONDS)]
"""No call is faster than a picosecond, and none was waited for longer than thirty years."""
Spread = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
Size = Annotated[int, Field(ge=1, le=10**9)]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What one process found out about one call.

    Attributes:
        benchmark: pytest's full name of it, by which it is found again in other files.
        name: Name of the test, with its parameters.
        group: What it is compared within; empty for none.
        block: Kind of building block (`stem`, `norm`); empty where the benchmark does not say.
        level: What distinguishes it within its group.
        is_baseline: Whether the group's other levels are set against it.
        mode: `forward`, `forward and backward` or empty.
        image_size: Height and width of the image in pixels; None where the benchmark does not say.
        batch_size: Images a call; None where the benchmark does not say.
        channels: Channels that the block is given; None where the benchmark does not say.
        median_seconds: Median over rounds of the seconds per call.
        iqr_seconds: Their interquartile range.
        min_seconds: The fastest round's.
        rounds: Rounds timed. They are no replicates: a process speaks once.
        iterations: Calls per round.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    benchmark: Text
    name: Text
    group: Text
    block: Text
    level: Text
    is_baseline: bool
    mode: Text
    image_size: Size | None
    batch_size: Size | None
    channels: Size | None
    median_seconds: Seconds
    iqr_seconds: Spread
    min_seconds: Seconds
    rounds: Size
    iterations: Size


@dataclass(frozen=True, slots=True)
class BenchmarkFile:
    """One file, which is what one process found out.

    Attributes:
        measured_at: ISO 8601, when the file was written.
        commit: Id of the commit; empty where the code was under no version control.
        committed_at: ISO 8601; empty where there is no commit.
        dirty: Whether the commit had uncommitted changes.
        machine: What figures depend on: CPU, cores, system, Python, and torch where the file says so.
        benchmarks: What was timed.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    measured_at: Text
    commit: Text
    committed_at: Text
    dirty: bool
    machine: dict[Text, Free]
    benchmarks: Annotated[tuple[Benchmark, ...], Field(min_length=1)]

    def __post_init__(self) -> None:
        name, count = Counter(b.benchmark for b in self.benchmarks).most_common(1)[0]
        if count > 1:
            raise ValueError(f"benchmark {name} stands in it {count} times")

    @property
    def id(self) -> str:
        """Hash of what was measured; a process that wrote two files is still one process."""
        content = dump(self)
        del content["measured_at"]
        return _digest(content, 16)

    @property
    def environment(self) -> str:
        """Hash of the machine; what was measured on different ones is never pooled."""
        return _digest(self.machine, 12)


def _digest(content: dict[str, Any], length: int) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:length]


CALL_SECONDS = Metric(
    name="step_seconds",
    label="time of a call",
    unit="seconds",
    better="lower",
    effect_kind="ratio",
    margin=0.05,
    description="Wall time of one call of a building block; a process says its median over rounds.",
)

ONLY_BENCHMARKS = ResolvedStudy(
    name="building-blocks",
    question="What do the blocks cost that networks are built of?",
    architecture="building blocks",
    design="imported benchmarks",
    seed=0,
    factors=(),
    arms=(Arm("baseline", "baseline", {}),),
    workloads=(),
    metrics=(CALL_SECONDS,),
)
"""The study of a run directory in which nothing was run: it holds imported benchmarks alone."""


@dataclass(frozen=True, slots=True)
class _Stored(BenchmarkFile):
    """A benchmark file as the run directory holds it."""

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION


_STORED = TypeAdapter(_Stored)
_FILE = TypeAdapter(BenchmarkFile)


def checked(content: dict[str, Any]) -> BenchmarkFile:
    """A benchmark file from plain values.

    Raises:
        ValidationError: A value is not what it should be.
    """
    return _FILE.validate_python(content, strict=False)


def store(run: Path, files: Iterable[BenchmarkFile]) -> list[BenchmarkFile]:
    """Write benchmarks into a run directory, which is made if there is none.

    Args:
        run: The directory: of a run, empty, or not there yet.
        files: What was read; one that the directory has already is left as it is.

    Returns:
        Those that are new.

    Raises:
        StorageError: They cannot be written.
    """
    if not (run / "study.json").is_file():
        write_study(run, ONLY_BENCHMARKS)
    new = []
    for file in files:
        path = run / "benchmarks" / f"{file.id}.json"
        if path.exists():
            continue
        write_environment(run, file.environment, file.machine)
        write_json(path, {"schema_version": SCHEMA_VERSION} | dump(file))
        new.append(file)
    return new


def stored(run: Path) -> tuple[list[BenchmarkFile], list[Disbelieved]]:
    """All benchmarks of a run directory, and the files that are left out, each with why."""
    files, left_out = [], []
    for path in sorted((run / "benchmarks").glob("*.json")):
        try:
            files.append(_read(path))
        except RecordError as error:
            left_out.append(Disbelieved(path, str(error).removeprefix(f"{path}: ")))
    return files, left_out


def _read(path: Path) -> BenchmarkFile:
    found = parse(path, _STORED, "imported benchmarks")
    file = BenchmarkFile(**{field.name: getattr(found, field.name) for field in fields(BenchmarkFile)})
    if file.id != path.stem:
        raise RecordError(f"{path}: changed after it was imported; delete it and import the original again")
    return file

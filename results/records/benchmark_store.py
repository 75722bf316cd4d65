"""Benchmarks in a run directory: `benchmarks/<hash>.json`, one immutable file per imported process.

As records do, they merge by copying files.
"""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from results.records.metric import Metric
from results.records.pytest_benchmark import Benchmark, BenchmarkFile, read_json
from results.records.record import SCHEMA_VERSION, RecordError, write_json
from results.records.resolved_study import Arm, ResolvedStudy, write_study

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


def store(run: Path, files: Iterable[BenchmarkFile]) -> list[BenchmarkFile]:
    """Write benchmarks into a run directory, which is made if there is none.

    Args:
        run: The directory: of a run, empty, or not there yet.
        files: What was read; one that the directory has already is left as it is.

    Returns:
        Those that are new.
    """
    if not (run / "study.json").is_file():
        write_study(run, ONLY_BENCHMARKS)
    new = []
    for file in files:
        path = _path(run, file)
        if path.exists():
            continue
        write_json(run / "environment" / f"{file.environment}.json", file.machine)
        write_json(path, {"schema_version": SCHEMA_VERSION} | asdict(file))
        new.append(file)
    return new


def stored(run: Path) -> tuple[BenchmarkFile, ...]:
    """All benchmarks of a run directory.

    Raises:
        RecordError: A file is not what was imported.
    """
    return tuple(_read(path) for path in sorted((run / "benchmarks").glob("*.json")))


def _path(run: Path, file: BenchmarkFile) -> Path:
    return run / "benchmarks" / f"{file.id}.json"


def _read(path: Path) -> BenchmarkFile:
    content = read_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise RecordError(f"{path}: schema version {version!r}, expected {SCHEMA_VERSION}")
    try:
        file = _file(content)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{path}: not imported benchmarks ({error!r})") from error
    if file.id != path.stem:
        raise RecordError(f"{path}: changed after it was imported; delete it and import the original again")
    return file


def _file(content: dict[str, Any]) -> BenchmarkFile:
    fields = {name: value for name, value in content.items() if name != "schema_version"}
    return BenchmarkFile(**fields | {"benchmarks": tuple(Benchmark(**b) for b in content["benchmarks"])})

"""pytest-benchmark's JSON, read: what was timed, in which process, of which commit, on which machine.

Benchmarks of any project can be read. Those that name in `benchmark.extra_info` a `block`, a `level` and
whether it is the `baseline` of their group are compared level by level; `mode`, `image_size`, `batch_size`
and `channels` say what for.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from results.records.benchmarks import BenchmarkFile, checked
from results.records.files import RecordError, explain, parse

_NO_COMMIT = {"unversioned", "unknown"}
_EXPECTED = "expected the JSON of pytest-benchmark, as `pytest --benchmark-json FILE` writes it"
_FOREIGN = ConfigDict(extra="ignore", allow_inf_nan=False)

Word = Annotated[str, BeforeValidator(lambda word: "" if word is None else str(word))]


def _moment(text: str) -> str:
    if text:
        datetime.fromisoformat(text)
    return text


Moment = Annotated[Word, BeforeValidator(lambda moment: _moment("" if moment is None else str(moment)))]
Mapping = Annotated[dict[str, Any], BeforeValidator(lambda mapping: {} if mapping is None else mapping)]


@dataclass(frozen=True, slots=True)
class _Stats:
    __pydantic_config__: ClassVar[ConfigDict] = _FOREIGN

    median: float
    iqr: float
    min: float
    rounds: int
    iterations: int


@dataclass(frozen=True, slots=True)
class _Entry:
    __pydantic_config__: ClassVar[ConfigDict] = _FOREIGN

    name: Word
    stats: _Stats
    fullname: Word = ""
    group: Word = ""
    param: Word = ""
    extra_info: Mapping = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Commit:
    __pydantic_config__: ClassVar[ConfigDict] = _FOREIGN

    id: Word
    time: Moment = ""
    dirty: bool | None = False


@dataclass(frozen=True, slots=True)
class _Machine:
    __pydantic_config__: ClassVar[ConfigDict] = _FOREIGN

    machine: Word
    system: Word
    release: Word
    python_version: Word
    processor: Word = ""
    cpu: Mapping = field(default_factory=dict)
    torch: Word = ""
    threads: Annotated[int, Field(ge=1, le=10_000)] | None = None


@dataclass(frozen=True, slots=True)
class _Foreign:
    __pydantic_config__: ClassVar[ConfigDict] = _FOREIGN

    benchmarks: Annotated[list[_Entry], Field(min_length=1)]
    commit_info: _Commit
    machine_info: _Machine
    datetime: Moment


_FILE = TypeAdapter(_Foreign)


def read(path: Path) -> BenchmarkFile:
    """Read and check a file that pytest-benchmark wrote.

    Raises:
        RecordError: It is no such file; the message is one line.
    """
    if not path.exists():
        raise RecordError(f"{path}: no such file; {_EXPECTED}")
    try:
        content = parse(path, _FILE, "benchmarks")
        return checked(_known(content))
    except RecordError as error:
        raise RecordError(f"{error}; {_EXPECTED}") from error
    except ValidationError as error:
        raise RecordError(f"{path}: not benchmarks: {explain(error)}; {_EXPECTED}") from error


def _known(content: _Foreign) -> dict[str, Any]:
    """What is kept of a file."""
    commit = content.commit_info
    known = commit.id not in _NO_COMMIT
    return {
        "measured_at": content.datetime,
        "commit": commit.id if known else "",
        "committed_at": commit.time if known else "",
        "dirty": bool(commit.dirty),
        "machine": _facts(content.machine_info),
        "benchmarks": [_benchmark(entry) for entry in content.benchmarks],
    }


def _facts(machine: _Machine) -> dict[str, Any]:
    facts = {
        "cpu": machine.cpu.get("brand_raw") or machine.processor,
        "cores": machine.cpu.get("count"),
        "machine": machine.machine,
        "system": f"{machine.system} {machine.release}",
        "python": machine.python_version,
        "torch": machine.torch,
        "threads": machine.threads,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _benchmark(entry: _Entry) -> dict[str, Any]:
    info, stats = entry.extra_info, entry.stats
    ours = isinstance(info.get("block"), str) and isinstance(info.get("baseline"), bool) and "level" in info
    sizes = {name: info.get(name) for name in ("image_size", "batch_size", "channels")}
    return {
        "benchmark": entry.fullname or entry.name,
        "name": entry.name,
        "group": entry.group,
        "block": info["block"] if ours else "",
        "level": str(info["level"]) if ours else entry.param or entry.name,
        "is_baseline": ours and info["baseline"],
        "mode": info["mode"] if ours and isinstance(info.get("mode"), str) else "",
        **{
            name: size if ours and isinstance(size, int) and not isinstance(size, bool) else None
            for name, size in sizes.items()
        },
        "median_seconds": stats.median,
        "iqr_seconds": stats.iqr,
        "min_seconds": stats.min,
        "rounds": stats.rounds,
        "iterations": stats.iterations,
    }

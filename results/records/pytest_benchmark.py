"""pytest-benchmark's JSON, read: what was timed, in which process, of which commit, on which machine.

Benchmarks of any project can be read. Those that name in `benchmark.extra_info` a `block`, a `level` and
whether it is the `baseline` of their group are compared level by level; `mode`, `image_size`, `batch_size`
and `channels` say what for.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from results.records.record import RecordError

COLUMNS = [
    *("file", "environment", "commit", "committed_at", "dirty", "measured_at", "machine", "cpu"),
    *("benchmark", "name", "group", "block", "level", "is_baseline", "mode"),
    *("image_size", "batch_size", "channels", "median_seconds", "iqr_seconds", "min_seconds"),
    *("rounds", "iterations"),
]
_NO_COMMIT = {"unversioned", "unknown"}
_EXPECTED = "expected the JSON of pytest-benchmark, as `pytest --benchmark-json FILE` writes it"


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

    benchmark: str
    name: str
    group: str
    block: str
    level: str
    is_baseline: bool
    mode: str
    image_size: int | None
    batch_size: int | None
    channels: int | None
    median_seconds: float
    iqr_seconds: float
    min_seconds: float
    rounds: int
    iterations: int

    def __post_init__(self) -> None:
        for name in ("median_seconds", "min_seconds"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"benchmark {self.name}: {name} {getattr(self, name)} is no time above 0")
        if not (math.isfinite(self.iqr_seconds) and self.iqr_seconds >= 0):
            raise ValueError(f"benchmark {self.name}: iqr_seconds {self.iqr_seconds} is no time")


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

    measured_at: str
    commit: str
    committed_at: str
    dirty: bool
    machine: dict[str, Any]
    benchmarks: tuple[Benchmark, ...]

    @property
    def id(self) -> str:
        """Hash of what was measured; a process that wrote two files is still one process."""
        content = asdict(self)
        del content["measured_at"]
        return _digest(content, 16)

    @property
    def environment(self) -> str:
        """Hash of the machine; what was measured on different ones is never pooled."""
        return _digest(self.machine, 12)


def _digest(content: dict[str, Any], length: int) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:length]


def parse(path: Path) -> BenchmarkFile:
    """Read and check a file that pytest-benchmark wrote.

    Raises:
        RecordError: It is no such file; the message is one line.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("benchmarks"), list):
        raise RecordError(f"{path}: no list of benchmarks; {_EXPECTED}")
    if not content["benchmarks"]:
        raise RecordError(f"{path}: holds no benchmark (did every one fail?); {_EXPECTED}")
    try:
        return _file(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise RecordError(f"{path}: {said}; {_EXPECTED}") from error


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        RecordError: It cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"{path}: no such file; {_EXPECTED}") from error
    except (OSError, ValueError, RecursionError) as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise RecordError(f"{path}: not a readable JSON file ({said}); {_EXPECTED}") from error


def frame(files: Iterable[BenchmarkFile]) -> pd.DataFrame:
    """One row per file and benchmark, the first measured first."""
    # An id is a hash of the whole file: found out once per file, not once per row.
    named = sorted(((file.measured_at, file.id, file) for file in files), key=lambda entry: entry[:2])
    rows = [row for _, name, file in named for row in _rows(file, name)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("image_size", "batch_size", "channels"):
        table[name] = table[name].astype("Int64")
    return table


def _rows(file: BenchmarkFile, name: str) -> list[dict[str, Any]]:
    known = {
        "file": name,
        "environment": file.environment,
        "commit": file.commit,
        "committed_at": file.committed_at,
        "dirty": file.dirty,
        "measured_at": file.measured_at,
        "machine": file.machine.get("machine", ""),
        "cpu": file.machine.get("cpu", ""),
    }
    return [known | asdict(benchmark) for benchmark in file.benchmarks]


def _file(content: dict[str, Any]) -> BenchmarkFile:
    commit, machine = content["commit_info"], content["machine_info"]
    benchmarks = tuple(_benchmark(entry) for entry in content["benchmarks"])
    (name, count), *_ = Counter(b.benchmark for b in benchmarks).most_common(1)
    if count > 1:
        raise ValueError(f"benchmark {name} stands in it {count} times")
    known = str(commit["id"]) not in _NO_COMMIT
    committed_at = str(commit.get("time") or "") if known else ""
    for moment in filter(None, (str(content["datetime"]), committed_at)):
        datetime.fromisoformat(moment)
    return BenchmarkFile(
        measured_at=str(content["datetime"]),
        commit=str(commit["id"]) if known else "",
        committed_at=committed_at,
        dirty=bool(commit.get("dirty", False)),
        machine=_machine(machine),
        benchmarks=benchmarks,
    )


def _machine(machine: dict[str, Any]) -> dict[str, Any]:
    cpu = machine.get("cpu") or {}
    facts = {
        "cpu": cpu.get("brand_raw") or machine.get("processor"),
        "cores": cpu.get("count"),
        "machine": machine["machine"],
        "system": f"{machine['system']} {machine['release']}",
        "python": machine["python_version"],
        "torch": machine.get("torch"),
        "threads": machine.get("threads"),
    }
    return {name: fact for name, fact in facts.items() if fact}


def _benchmark(entry: dict[str, Any]) -> Benchmark:
    stats, info = entry["stats"], entry.get("extra_info") or {}
    ours = isinstance(info.get("block"), str) and isinstance(info.get("baseline"), bool) and "level" in info
    sizes = {name: info.get(name) for name in ("image_size", "batch_size", "channels")}
    return Benchmark(
        benchmark=str(entry.get("fullname") or entry["name"]),
        name=str(entry["name"]),
        group=str(entry.get("group") or ""),
        block=info["block"] if ours else "",
        level=str(info["level"]) if ours else str(entry.get("param") or entry["name"]),
        is_baseline=ours and info["baseline"],
        mode=info["mode"] if ours and isinstance(info.get("mode"), str) else "",
        **{name: size if ours and isinstance(size, int) else None for name, size in sizes.items()},
        median_seconds=float(stats["median"]),
        iqr_seconds=float(stats["iqr"]),
        min_seconds=float(stats["min"]),
        rounds=int(stats["rounds"]),
        iterations=int(stats["iterations"]),
    )

"""How long a report takes: that of the quick study, and of runs that have grown a hundred times as large."""

import os
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import results
from results.records.benchmarks import Benchmark, BenchmarkFile, store
from results.records.directory import write_record
from results.records.record import Measurement, Outcome, Record
from results.records.resolved_study import Arm, FactorInfo, ResolvedStudy, Workload, write_study
from tests.results.planted import METRICS, Plan, write_run

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
MOST_CPU_SECONDS = 12.0
"""Of the report of a stored quick run, the start of Python and all imports included."""

Timed = Callable[..., Any]


@pytest.mark.benchmark(group="reporting")
def test_reporting_a_stored_quick_run(benchmark: Timed, tmp_path: Path) -> None:
    with tarfile.open(ROOT / "tests" / "data" / "recorded" / "quick.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    spent: list[float] = []

    def report() -> None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "runners", "report", str(tmp_path / "quick"), "--quiet"]
        subprocess.run(
            command, cwd=ROOT, env=os.environ | {"COLUMNS": "100"}, check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    benchmark.pedantic(report, rounds=3, warmup_rounds=1)  # type: ignore[attr-defined]
    benchmark.extra_info["cpu_seconds"] = min(spent)  # type: ignore[attr-defined]
    print(f"\nreport of a stored quick run: {min(spent):.2f} s of CPU, at most {MOST_CPU_SECONDS:.0f}")
    assert min(spent) <= MOST_CPU_SECONDS


@pytest.mark.benchmark(group="reporting many samples")
@pytest.mark.parametrize("samples", [20_000, 2_000_000])
def test_reporting_many_samples(benchmark: Timed, tmp_path: Path, samples: int) -> None:
    path = write_run(tmp_path / "run", Plan(processes=6, rounds=samples // 84, seeds=2))
    _time_report(benchmark, path)


@pytest.mark.benchmark(group="reporting many benchmarks")
@pytest.mark.parametrize("count", [100, 10_000])
def test_reporting_many_benchmarks(benchmark: Timed, tmp_path: Path, count: int) -> None:
    facts = {"cpu": "Example CPU", "machine": "x86_64"}
    entries = tuple(_benchmark(group, level) for group in range(count // 4) for level in range(4))
    file = BenchmarkFile(
        "2026-03-01T12:00:00+00:00", "a" * 40, "2026-01-01T10:00:00+02:00", False, facts, entries
    )
    store(tmp_path / "run", [file])
    _time_report(benchmark, tmp_path / "run")


@pytest.mark.benchmark(group="reporting many levels")
@pytest.mark.parametrize("levels", [3, 300])
def test_reporting_many_levels(benchmark: Timed, tmp_path: Path, levels: int) -> None:
    arms = (
        Arm("baseline", "baseline", {}),
        Arm("(control)", "control", {}),
        *(Arm(f"width={level}", "arm", {"width": str(level)}) for level in range(1, levels)),
    )
    variants = {arm.name: f"resnet:{arm.name}" for arm in arms}
    rest: tuple[Any, ...] = ("fp32", None, "resnet, 64 px", {})
    study = ResolvedStudy(
        *("levels", "How wide?", "resnet", "one-at-a-time", 0),
        (FactorInfo("width", "behavioural", "Width.", tuple(map(str, range(levels)))),),
        arms,
        (
            Workload("memory", "memory", "exact", 1, variants, 64, 32, *rest),
            Workload("throughput", "throughput", "process", 6, variants, 64, 32, *rest),
        ),
        METRICS,
    )
    write_study(tmp_path / "run", study)
    for record in _records(arms):
        write_record(tmp_path / "run", record)
    _time_report(benchmark, tmp_path / "run")


def _time_report(benchmark: Timed, path: Path) -> None:
    benchmark.pedantic(lambda: results.load(path).report(), rounds=2, warmup_rounds=0)  # type: ignore[attr-defined]


def _benchmark(group: int, level: int) -> Benchmark:
    seconds = 1e-3 * (1 + 0.1 * level)
    name = f"test_block{group}[{level}]"
    context = (f"group {group}", f"block{group % 20}", f"level{level}", level == 0, "forward", 64, 8, 16)
    return Benchmark(f"tests/blocks.py::{name}", name, *context, seconds, seconds / 100, seconds, 10, 1)


def _records(arms: tuple[Arm, ...]) -> Iterator[Record]:
    rng = np.random.default_rng(0)

    def outcome(arm: Arm, metric: str, values: list[float], source: str, device: str) -> Outcome:
        measured = (
            Measurement(metric, tuple(values), source, device, mode=mode) for mode in ("train", "inference")
        )
        return Outcome(arm.name, "resnet", {}, measurements=tuple(measured))

    def record(name: str, workload: str, block: str, outcomes: list[Outcome]) -> Record:
        return Record(name, workload, block, "here", 1, "2026-01-01T00:00:00", 1.0, tuple(outcomes))

    for place, arm in enumerate(arms):
        peak = float(round(1e9 * (1 + rng.random())))
        yield record(
            f"m{place}", "memory", "exact", [outcome(arm, "peak_bytes", [peak], "simulated", "cuda")]
        )
    for process in range(6):
        times = [[float(s) for s in 0.01 * np.exp(0.01 * rng.normal(size=20))] for _ in arms]
        told = [outcome(a, "step_seconds", t, "measured", "cpu") for a, t in zip(arms, times, strict=True)]
        yield record(f"t{process}", "throughput", f"process-{process}", told)

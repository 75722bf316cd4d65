"""How long one waits for the command line: starting it, and planning a large study.

What is started must not import PyTorch, which alone takes seconds; planning is timed after imports.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations import registry
from runners import datasets, probes, rehearsal, study
from runners.memory.shapes import ShapeMemo
from runners.plan import Plan, plan
from tests.runners.study_files import write_study

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
MOST_SECONDS = 3.0
"""Of one core, to plan 64 arms in three workloads; on the wall it lasts longer where others are at work."""

Benchmark = Callable[..., Any]


@pytest.mark.benchmark(group="starting a command")
@pytest.mark.parametrize("command", [["--help"], ["list", "studies"]], ids=" ".join)
def test_starting_a_command(benchmark: Benchmark, command: list[str]) -> None:
    def start() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "runners", *command],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"COLUMNS": "100"},
            check=True,
        )

    process = benchmark.pedantic(start, rounds=5, warmup_rounds=1)  # type: ignore[attr-defined]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in process.stderr.splitlines()}
    assert "typer" in imported
    assert "torch" not in imported


@pytest.mark.benchmark(group="planning")
def test_planning_64_arms_of_a_deep_network(benchmark: Benchmark, tmp_path: Path) -> None:
    workload = {"levels": {"depth": 50}, "batch_size": 32}
    content = {
        "architecture": "resnet",
        "design": "full-factorial",
        "factors": {
            "stem": ["shallow", "deep64"],
            "relu": ["inplace", "out_of_place"],
            "shortcut": ["inplace", "out_of_place"],
            "pool": ["max", "average"],
            "norm": ["batch", "group"],
            "output_stride": [32, 16],
        },
        "workloads": [workload | {"kind": kind} for kind in ("memory", "throughput", "convergence")],
    }
    path = write_study(tmp_path / "large.toml", content)
    for discover in (registry.architectures, probes.probes, datasets.datasets):  # as after imports
        discover()

    spent = []

    def planned() -> Plan:
        rehearsal._done.clear()
        rehearsal._MEMO = ShapeMemo({})
        start = time.process_time()
        found = plan(study.load(str(path)), cores=2)
        spent.append(time.process_time() - start)
        return found

    found = benchmark.pedantic(planned, rounds=3)  # type: ignore[attr-defined]
    assert len(found.study.arms) == 64 + 1
    assert min(spent) <= MOST_SECONDS

"""Files of pytest-benchmark with planted times: what is true of each level is what the caller says."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GROUP = "norm, 64 px, batch 8, forward"
FIRST, LATER = "a" * 40, "b" * 40
COMMITTED = {FIRST: "2026-01-01T10:00:00+02:00", LATER: "2026-02-01T10:00:00+02:00"}


def benchmark(level: str, median: float, /, *, group: str = GROUP, **extra_info: Any) -> dict[str, Any]:
    """One entry of the list of benchmarks; without extra_info it is one of any other project."""
    name = f"test_block[{level}]"
    stats = {"median": median, "iqr": median / 10, "min": median * 0.9, "rounds": 40, "iterations": 1}
    return {
        "group": group,
        "name": name,
        "fullname": f"tests/test_blocks.py::{name}::{group}",
        "params": {"level": level},
        "param": level,
        "extra_info": extra_info,
        "stats": stats,
    }


def level(name: str, median: float, *, baseline: bool = False, **given: Any) -> dict[str, Any]:
    """A level of a building block, as the project's own benchmarks describe theirs."""
    info: dict[str, Any] = {"block": "norm", "mode": "forward", "image_size": 64, "batch_size": 8}
    info |= {"channels": 64, "level": name, "baseline": baseline}
    group = given.pop("group", GROUP)
    return benchmark(name, median, group=group, **info | given)


def content(
    *benchmarks: Mapping[str, Any],
    commit: str = FIRST,
    dirty: bool = False,
    cpu: str = "Example CPU",
    at: str = "2026-03-01T12:00:00+00:00",
) -> dict[str, Any]:
    """What a file holds."""
    return {
        "machine_info": {
            "node": "here",
            "machine": "x86_64",
            "system": "Linux",
            "release": "6.1",
            "python_version": "3.11.7",
            "cpu": {"brand_raw": cpu, "count": 2},
        },
        "commit_info": {"id": commit, "time": COMMITTED.get(commit), "dirty": dirty, "branch": "main"},
        "benchmarks": list(benchmarks),
        "datetime": at,
        "version": "5.1.0",
    }


def write(path: Path, given: object) -> Path:
    """Write a file and return its path."""
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


def run_benchmarks(file: Path, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Have pytest-benchmark write a file, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--benchmark-json={file}"]
    # A worker of pytest-xdist hands its name on, and pytest-benchmark times nothing in a worker.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [*command, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )

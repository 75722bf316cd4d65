"""Probes keep to themselves, and say what they measure without PyTorch."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_imports import WITHOUT_TORCH

ROOT = Path(__file__).parents[3]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def trespassers(root: Path) -> list[str]:
    """Files of a probe that import from another one."""
    folder = root / "runners" / "probes"
    kinds = {path.name for path in folder.iterdir() if (path / "__init__.py").is_file()}
    return [
        f"{path.relative_to(folder)}: {name}"
        for kind in sorted(kinds)
        for path in sorted((folder / kind).rglob("*.py"))
        for name in imported(path)
        if (parts := name.split("."))[:2] == ["runners", "probes"] and set(parts[2:3]) & (kinds - {kind})
    ]


def test_no_probe_imports_from_another_one() -> None:
    assert trespassers(ROOT) == []


@pytest.mark.parametrize(
    "line",
    [
        "from runners.probes.memory.settings import MemorySettings",
        "import runners.probes.memory",
        "from runners.probes import Probe, memory",
        "def late() -> None:\n    from runners.probes.memory import measure",
    ],
)
def test_a_probe_that_does_is_found(tmp_path: Path, line: str) -> None:
    shutil.copytree(ROOT / "runners", tmp_path / "runners", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "runners" / "probes" / "throughput" / "trespasser.py").write_text(line + "\n")
    (found,) = trespassers(tmp_path)
    assert found.startswith("throughput/trespasser.py: runners.probes.memory")


def test_every_probe_has_its_settings_its_metrics_and_its_forecast() -> None:
    for folder in (ROOT / "runners" / "probes").iterdir():
        if (folder / "__init__.py").is_file():
            assert {"settings.py", "metrics.py"} <= {path.name for path in folder.iterdir()}, folder.name


def run_without_torch(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH + code], capture_output=True, text=True, cwd=ROOT, check=False
    )


def test_what_there_is_can_be_listed_without_torch() -> None:
    code = (
        "import pkgutil, importlib\n"
        "from runners import datasets, launchers, plugins, probes, run_lock, trial_id\n"
        "for kind, probe in probes.probes().items():\n"
        "    for part in ('settings', 'metrics', 'forecast'):\n"
        "        importlib.import_module(f'runners.probes.{kind}.{part}')\n"
        "    assert probe.metrics and probe.settings.model_fields\n"
        "print(*probes.probes(), *probes.metrics())\n"
        "print(*datasets.datasets(), datasets.get('digits').unavailable())\n"
        "print(*launchers.launchers())"
    )
    done = run_without_torch(code)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert {"memory", "throughput", "convergence", "complexity", "peak_bytes", "step_seconds"} <= set(
        first.split()
    )
    assert {"digits", "fashion-mnist"} <= set(second.split())
    assert "local" in third.split()


def test_what_measures_does_need_it() -> None:
    """So that the test before shows something."""
    assert "torch is blocked" in run_without_torch("from runners.probes.memory import measure").stderr

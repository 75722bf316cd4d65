"""The import directions: ablations <- runners -> results, and results alone needs no torch."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.results.planted_benchmarks import content, level, write

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "ablations": {"ablations"},
    "results": {"results"},
    "runners": {"ablations", "runners", "results"},
}
WITHOUT_TORCH = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision"}:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
"""


def violations(root: Path) -> list[str]:
    """Every import of a project package that its package may not make."""
    found = []
    for package, allowed in MAY_IMPORT.items():
        for path in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                    names = [node.module]
                for name in names:
                    top = name.partition(".")[0]
                    if (top in MAY_IMPORT and top not in allowed) or (
                        package == "results" and top == "torch"
                    ):
                        found.append(f"{path.relative_to(root)}: {name}")
    return found


def test_the_packages_import_in_one_direction() -> None:
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("ablations", "from runners import plan"),
        ("ablations", "import results.records.record"),
        ("results", "import torch"),
        ("results", "from ablations.factor import Factor"),
        ("results", "def late() -> None:\n    from runners.plan import plan"),
    ],
)
def test_a_boundary_broken_on_purpose_is_found(tmp_path: Path, package: str, line: str) -> None:
    for name in MAY_IMPORT:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / package / "trespasser.py").write_text(line + "\n")
    (violation,) = violations(tmp_path)
    assert violation.startswith(f"{package}/trespasser.py")


def run_python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120
    )


def test_importing_results_pulls_in_no_torch() -> None:
    code = (
        "import sys, results, results.report, results.compare, results.plots; print('torch' in sys.modules)"
    )
    assert run_python(code).stdout == "False\n"


def test_the_blocker_that_the_next_tests_rely_on_blocks_torch() -> None:
    assert "torch is blocked" in run_python(WITHOUT_TORCH + "import torch").stderr


@pytest.mark.parametrize(
    "module", ["ablations", "ablations.factor", "ablations.variant", "ablations.registry"]
)
def test_factors_and_specifications_need_no_torch(module: str) -> None:
    code = f"{WITHOUT_TORCH}import {module}, ablations; print(ablations.variant, ablations.Range(1, 2))"
    process = run_python(code)
    assert process.returncode == 0, process.stderr
    assert "function variant" in process.stdout


def run_command(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    """The command line where torch cannot be imported."""
    arguments = [str(argument) for argument in command]
    return run_python(WITHOUT_TORCH + f"from runners.__main__ import main\nmain({arguments!r})")


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["-h"],
        ["run", "--help"],
        ["report", "-h"],
        ["compare", "--help"],
        ["plan", "-h"],
        ["merge", "-h"],
        ["table", "-h"],
    ],
)
def test_help_needs_no_torch(command: list[str]) -> None:
    process = run_command(*command)
    assert process.returncode == 0, process.stderr
    assert "Usage: ablate" in process.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["--version"], "ablate 0."),
        (["list", "studies"], "output-stride"),
        (["list", "metrics"], "peak_bytes"),
        (["list", "workloads"], "half_width"),
        (["list", "datasets"], "digits"),
        (["list", "claims"], "claims"),
        (["list", "launchers"], "local"),
        (["list", "sections"], "methods"),
    ],
)
def test_listings_need_no_torch(command: list[str], said: str) -> None:
    process = run_command(*command)
    assert process.returncode == 0, process.stderr
    assert said in process.stdout


def test_what_needs_torch_says_so_under_the_blocker() -> None:
    assert run_command("list", "factors").returncode == 4


def test_benchmarks_are_imported_reported_compared_and_merged_without_torch(tmp_path: Path) -> None:
    file = write(tmp_path / "blocks.json", content(level("batch", 1e-3, baseline=True), level("group", 2e-3)))
    run = tmp_path / "run"
    commands: list[list[str | Path]] = [
        ["import", "--quiet", file, "--into", run],
        ["report", "--quiet", run],
        ["compare", run, run],
        ["merge", run, "--out", tmp_path / "merged"],
    ]
    for command in commands:
        process = run_command(*command)
        assert (process.returncode, process.stderr) == (0, "")
        assert process.stdout

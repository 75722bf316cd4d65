"""What `ablate new` writes works as it is: its tests pass, its study ends in a full report."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from runners import new
from runners.errors import BadInput

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "mine"
    told = ablate("new", str(folder), cwd=folder.parent)
    assert told.returncode == 0, told.stderr
    assert all(Path(line).is_file() for line in told.stdout.splitlines()[:-1])
    return folder


def ablate(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return python("-m", "runners", *arguments, cwd=cwd)


def python(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600
    )


def test_its_tests_pass(mine: Path) -> None:
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(mine), cwd=mine)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_its_study_ends_in_a_report(mine: Path) -> None:
    done = ablate("run", "study.toml", "--out", "run", "--quiet", cwd=mine)
    assert done.returncode == 0, done.stderr
    effects = pd.read_csv(mine / "run" / "report" / "tables" / "effects.csv")
    arms = effects[effects["factor"] != "(control)"]
    for metric in ("layer_count", "peak_bytes", "test_accuracy"):
        assert set(arms[arms["metric"] == metric]["level"]) == {"pool", "out_of_place"}
    placebo = arms[(arms["metric"] == "test_accuracy") & (arms["level"] == "out_of_place")]
    assert set(placebo["verdict"]) == {"equivalent"}
    assert (arms[arms["metric"] == "test_accuracy"]["baseline_value"] > 0.6).all(), "it learns"
    assert (mine / "run" / "report" / "index.html").is_file()


def test_nothing_is_overwritten(mine: Path) -> None:
    before = {path: path.read_bytes() for path in mine.glob("*.py")}
    (mine / "study.toml").write_text("# mine\n" + (mine / "study.toml").read_text())
    with pytest.raises(BadInput, match=r"has a layers_probe\.py already; choose a new folder"):
        new.begin(mine)
    assert (mine / "study.toml").read_text().startswith("# mine\n")
    assert {path: path.read_bytes() for path in mine.glob("*.py")} == before
    file = mine / "network.py" / "deeper"
    with pytest.raises(BadInput, match="Not a directory"):
        new.begin(file)

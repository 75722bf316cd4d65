"""docs/own.md: about sixty lines of a user's own give a full report, and `ablate new` begins one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "own.md").read_text()
MOST_LINES = 75


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    network, making = blocks("python")
    (study,) = blocks("toml")
    study = study.replace("processes = 6", "processes = 2")  # whose verdicts on time nobody asks for here
    for name, text in {"network.py": network, "make.py": making, "study.toml": study}.items():
        (folder / name).write_text(text)
    run(folder, "make.py")
    return folder


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done


def effects(run_directory: Path) -> pd.DataFrame:
    found = pd.read_csv(run_directory / "report" / "tables" / "effects.csv")
    return found[found["factor"] != "(control)"]


def test_it_is_about_sixty_lines() -> None:
    lines = [line for block in (*blocks("python"), *blocks("toml")) for line in block.splitlines()]
    assert len([line for line in lines if line.strip()]) <= MOST_LINES


@pytest.mark.slow
def test_a_network_and_a_folder_of_ones_own_give_a_full_report(folder: Path) -> None:
    planned = run(folder, "-m", "runners", "plan", "study.toml")
    assert re.search(r"180 images of 48x48 pixels, grey; 3 classes \(.*\); 36 for testing", planned.stdout)
    run(folder, "-m", "runners", "run", "study.toml", "--quiet")
    found = effects(folder / "runs" / "study")
    for metric in ("peak_bytes", "step_seconds", "test_accuracy", "macs"):
        rows = found[found["metric"] == metric]
        assert set(rows["level"]) == {"average", "stride", "out_of_place"}, metric
    accuracy = found[found["metric"] == "test_accuracy"].set_index("level")
    assert (accuracy["baseline_value"] > 0.8).all(), "it learns"
    assert accuracy.loc["stride", "verdict"] == "worse"
    page = (folder / "runs" / "study" / "report" / "index.html").read_text()
    assert "How should my network halve its images?" in page


@pytest.mark.slow
def test_the_template_trains_on_the_same_folder(folder: Path) -> None:
    (change,) = re.findall(r"^\$ sed -i '(s\|.*)' mine/study\.toml$", PAGE, re.MULTILINE)
    _, pattern, replacement, _ = change.split("|")
    run(folder, "-m", "runners", "new", "mine")
    study = folder / "mine" / "study.toml"
    before = study.read_text()
    study.write_text(re.sub(pattern, replacement, before))
    assert study.read_text() != before
    run(folder, "-m", "runners", "run", "mine/study.toml", "--out", "runs/mine", "--quiet")
    found = effects(folder / "runs" / "mine")
    assert found["dataset"].str.startswith("folder:shapes@").any()
    assert (found[found["metric"] == "test_accuracy"]["n"] >= 2).all()

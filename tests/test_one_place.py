"""Whatever is added is one file: listed, run and reported without a line changed anywhere else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from results.records.resolved_study import read_study

ROOT = Path(__file__).parents[1]

ARCHITECTURE = '''
"""A network of one layer, or two."""
from typing import Literal

from torch import nn

from ablations import architecture


@architecture
def onelayer(
    *, layers: Literal[1, 2] = 1, in_channels: Literal[1, 3] = 1, num_classes: Literal[2, 10] = 2
) -> nn.Module:
    """A network of one layer, or two.

    Args:
        layers: How many.
        in_channels: Channels of the image.
        num_classes: Entries of the output.
    """
    middle = [nn.Conv2d(in_channels, in_channels, 3, padding=1)] if layers == 2 else []
    end = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(in_channels * 16, num_classes)]
    return nn.Sequential(*middle, *end)
'''
DATASET = '''
"""Stripes that lie or stand."""
import torch

from runners.datasets import Dataset
from runners.images import Images, standardized


def load(size: int) -> tuple[Images, Images]:
    stripes = (torch.arange(size) // 2 % 2).float().expand(size, size)
    labels = torch.arange(60) % 2
    images = torch.stack([stripes if label else stripes.T for label in labels]).unsqueeze(1)
    images = images + 0.1 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return standardized((images[:40], labels[:40]), (images[40:], labels[40:]), size)


DATASET = Dataset("stripes", "stripes that lie or stand", 1, 2, 40, load, lambda: None)
'''
PROBE = '''
"""Counts modules."""
from pydantic import Field

import ablations
from results.records.metric import Metric
from results.records.record import Measurement
from runners.outcomes import Findings, each_arm, make_variant
from runners.probes import Probe, Result, WorkloadSettings


class CountingSettings(WorkloadSettings):
    """Keys of a workload of kind counting."""

    at_least: int = Field(0, ge=0, description="a module counts if it has so many parameters")


METRIC = Metric("module_count", "modules", "count", "lower", "ratio", 0.1, "Of the network.", exact=True)


def count(trial, arm) -> Findings:
    settings = CountingSettings.model_validate(trial.workload.settings)
    network = ablations.build(make_variant(arm), device="meta")
    sizes = [sum(p.numel() for p in m.parameters(recurse=False)) for m in network.modules()]
    found = sum(size >= settings.at_least for size in sizes)
    return Findings((Measurement("module_count", (float(found),), "observed", "any"),))


PROBE = Probe(
    kind="counting",
    summary="how many modules there are",
    settings=CountingSettings,
    metrics=(METRIC,),
    block_unit="exact",
    wave=0,
    control=False,
    timed=False,
    run=lambda trial: Result(each_arm(trial, count)),
    estimate_seconds=lambda settings, macs, rate: 0.1,
)
'''
STUDY = """
question = "What does a second layer cost?"
architecture = "onelayer"

[factors]
layers = [1, 2]

[[workloads]]
kind = "counting"
image_size = 16
at_least = 1

[[workloads]]
kind = "convergence"
dataset = "stripes"
image_size = 16
recipe = "hasty"
seeds = 6
"""
RECIPE = '''
"""Keys that belong together."""
from runners.probes.convergence.recipes import Recipe

RECIPE = Recipe("hasty", {"batch_size": 8, "epochs": 2})
'''
LAUNCHER = '''
"""Local processes, with a note of each."""
from pathlib import Path

from runners.launchers import Launcher, get


def run(tasks, *, directory, environment, jobs, notify, until=None):
    def noted():
        for task in tasks:
            with (directory / "notes.txt").open("a") as file:
                file.write(task.trial.id + "\\n")
            yield task

    there = {"directory": directory, "environment": environment}
    get("local").run(noted(), **there, jobs=jobs, notify=notify, until=until)


def prepare():
    Path(__file__).with_suffix(".prepared").touch()


LAUNCHER = Launcher("noted", "local processes, with a note of each", run, prepare)
'''
SECTION = '''
"""How many trials took how long."""
from matplotlib.figure import Figure as Drawing

from results.report.section import Entry, Figure, Section, Table, Topic


def draw(seconds) -> Drawing:
    drawing = Drawing()
    drawing.subplots().hist(seconds)
    return drawing


def build(analysis, _) -> Section:
    trials = analysis.trials
    table = Table(
        columns=["workload", "trials"],
        rows=[[Entry(str(name)), Entry(str(len(rows)))] for name, rows in trials.groupby("workload")],
        caption="Trials of each workload, counted by a plugin",
    )
    title = "How long trials took, drawn by a plugin"
    figure = Figure("trial-seconds", title, "A histogram.", lambda: draw(trials["seconds"]))
    return Section(parts=[table, figure], data={"trial-seconds": trials[["trial", "seconds"]]})


SECTION = Topic("pace", "Pace, told by a plugin", 999, build, per_environment=False, summary="durations")
'''
FILES = {
    "network.py": ARCHITECTURE,
    "stripes.py": DATASET,
    "counting.py": PROBE,
    "hasty.py": RECIPE,
    "second-layer.toml": STUDY,
    "noted.py": LAUNCHER,
    "pace.py": SECTION,
}
LISTED = {
    "architectures": ("name", "onelayer"),
    "factors": ("factor", "layers"),
    "datasets": ("name", "stripes"),
    "recipes": ("name", "hasty"),
    "workloads": ("kind", "counting"),
    "metrics": ("name", "module_count"),
    "studies": ("name", "second-layer"),
    "launchers": ("name", "noted"),
    "sections": ("name", "pace"),
}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    for name, text in FILES.items():
        (folder / name).write_text(text.lstrip())
    return folder


@pytest.fixture(scope="module")
def out(plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "run"
    options = ("--plugin", plugin, "--launcher", "noted", "--out", out, "--device", "cpu")
    done = ablate("run", "second-layer", *options)
    assert done.returncode == 0, done.stderr + done.stdout
    return out


def ablate(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "runners", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT)


def test_it_is_listed(plugin: Path) -> None:
    """All listings in one process, each as its command prints it."""
    code = (
        "import contextlib, sys\nfrom runners.__main__ import main\n"
        f"for what in {list(LISTED)!r}:\n    with contextlib.suppress(SystemExit):\n"
        f"        main(['list', what, '--plugin', {str(plugin)!r}, '--json'])\n    print('---')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    listings = done.stdout.split("---\n")
    for (what, (key, name)), text in zip(LISTED.items(), listings, strict=False):
        rows: list[dict[str, Any]] = json.loads(text)
        assert name in [row[key] for row in rows], what
        assert len(rows) > 1, f"{what} of the suite are there still"


def test_it_runs(out: Path, plugin: Path) -> None:
    assert (plugin / "noted.prepared").is_file()
    noted = (out / "notes.txt").read_text().split()
    assert sorted(noted) == sorted({path.name.partition("-")[0] for path in (out / "records").iterdir()})
    effects = pd.read_csv(out / "report" / "tables" / "effects.csv")
    (row,) = effects[effects["metric"] == "module_count"].to_dict("records")
    assert (row["baseline_value"], row["value"], row["verdict"]) == (1.0, 2.0, "worse")
    trials = pd.read_csv(out / "report" / "tables" / "trials.csv")
    assert (trials["status"] == "ok").all()
    assert (trials["workload"] == "convergence").sum() == 18
    settings = {w.kind: w.settings for w in read_study(out).workloads}["convergence"]
    assert (settings["batch_size"], settings["epochs"]) == (8, 2), "the recipe's"


def test_it_stands_in_the_report(out: Path) -> None:
    page, text = ((out / "report" / name).read_text() for name in ("index.html", "details.md"))
    for told in (page, text):
        assert "What does a second layer cost?" in told
        assert "modules" in told, "the metric"
        assert "stripes" in told, "the data set"
        assert "Pace, told by a plugin" in told, "the section"
        assert "Trials of each workload, counted by a plugin" in told, "its table"
        assert "How long trials took, drawn by a plugin" in told, "its figure"
    for ending in ("svg", "png"):
        assert (out / "report" / "figures" / f"trial-seconds.{ending}").stat().st_size > 0
    assert set(pd.read_csv(out / "report" / "tables" / "trial-seconds.csv").columns) == {"trial", "seconds"}


def test_without_the_plugin_only_its_section_is_gone_from_the_report(out: Path) -> None:
    assert ablate("report", out).returncode == 0
    told = (out / "report" / "details.md").read_text()
    assert "Pace, told by a plugin" not in told
    assert "modules" in told


def test_a_changed_section_or_launcher_measures_nothing_anew(out: Path, plugin: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in (out / "records").iterdir()}
    for name in ("pace.py", "noted.py"):
        (plugin / name).write_text((plugin / name).read_text().replace("plugin", "changed plugin"))
    options = ("--plugin", plugin, "--launcher", "noted", "--out", out, "--device", "cpu")
    assert ablate("run", "second-layer", *options).returncode == 0
    assert {path.name: path.stat().st_mtime_ns for path in (out / "records").iterdir()} == before
    assert "Pace, told by a changed plugin" in (out / "report" / "details.md").read_text()

"""The command line: figures it prints, and one clear line for each mistake."""

import json
from pathlib import Path

import pytest

from runners.__main__ import _main
from runners.durations import parse_duration
from runners.terminal.listings import LISTINGS


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[str]:
    """The lines of a refusal, once it is sure that it is one."""
    assert _main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    lines = captured.err.splitlines()
    assert all(line.startswith("ablate: ") for line in lines)
    return [line.removeprefix("ablate: ") for line in lines]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "quik"], "no study 'quik'; did you mean 'quick'? (or the path of a .toml file)"),
        (["plan", "nothere.toml"], "no study file 'nothere.toml'"),
        (["run", "quick", "--dataset", "digit"], "no data set 'digit'; did you mean 'digits'?"),
        (["run", "quick", "--device", "cuda:9"], "--device 'cuda:9': this machine's accelerator is"),
        (["run", "quick", "--device", "tpux"], "--device 'tpux': expected auto, cpu, cuda"),
        (["show", "resnt"], "no architecture 'resnt'; did you mean 'resnet'?"),
        (["show", "resnet:stm=deep64"], "architecture 'resnet' has no factor 'stm'; did you mean 'stem'?"),
        (["show", "resnet:stem=deep46"], "factor 'stem' has no level 'deep46'; did you mean 'deep64'?"),
        (["show", "resnet:pool_padding=2"], "variant resnet:pool_padding=2: pool_padding 2 is over half of"),
        (
            ["show", "resnet:pool_kernel=7,pool_padding=0", "--image-size", "8"],
            "variant resnet:pool_kernel=7,pool_padding=0: an image of 8 px does not fit",
        ),
        (
            ["show", "resnet", "--image-size", "0"],
            "Invalid value for '--image-size': Input should be greater than",
        ),
        (["list", "studys"], "nothing to list by the name 'studys'; did you mean 'studies'?"),
        (["rnu", "quick"], "No such command 'rnu'. Did you mean 'run'?"),
        (["report", "nowhere"], "nowhere: not a run directory (no study.json)"),
        (["run", "quick", "--seeds", "0"], "Invalid value for '--seeds': Input should be greater than"),
        (["run", "quick", "--launcher", "locl"], "no launcher 'locl'; did you mean 'local'?"),
        (["xyzzy"], "No such command 'xyzzy'. One of: compare, import, list,"),
        (["memory", "resnet", "--batch-size", "many"], "Invalid value for '--batch-size'"),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest_choice_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (only,) = refused(capsys, *arguments)
    assert only.startswith(line)
    assert list(tmp_path.iterdir()) == []


FIVE_MISTAKES = """
question = "How many mistakes?"
architecture = "resnet"
desing = "one-at-a-time"

[factors]
stem = ["shallow", "deep46"]
rleu = ["inplace"]

[margins]
step_second = 0.05

[[workloads]]
kind = "convergence"
dataset = "digit"

[[workloads]]
kind = "memory"
batch_size = 0
"""


def test_all_mistakes_of_a_study_file_are_told_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "mistaken.toml"
    study.write_text(FIVE_MISTAKES)
    lines = refused(capsys, "run", study)
    assert sorted(lines) == [
        "study mistaken, factors: architecture 'resnet' has no factor 'rleu'; did you mean 'relu'?",
        "study mistaken, factors: factor 'stem' has no level 'deep46'; did you mean 'deep64'?",
        "study mistaken, workload 1: no data set 'digit'; did you mean 'digits'?",
        "study mistaken, workload 2: batch_size = 0: expected 1 or more",
        "study mistaken: margins: no metric 'step_second'; did you mean 'step_seconds'?",
        "study mistaken: no key 'desing'; did you mean 'design'?",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["mistaken.toml"]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400)])
def test_a_budget_is_a_duration(text: str, seconds: float) -> None:
    assert parse_duration(text, "--budget") == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "0s", "-5m", "10 m", "1e3s"])
def test_what_is_no_duration_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    (line,) = refused(capsys, "run", "stem", "--out", tmp_path / "run", f"--budget={text}")
    assert line == f"--budget {text!r}: expected a duration above zero such as 90s, 10m or 1.5h"
    assert not (tmp_path / "run").exists()


def test_a_plan_says_what_runs_always_and_what_only_while_imprecise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _main(["plan", "stem", "--json", "--device", "cpu"]) == 0
    trials = json.loads(capsys.readouterr().out)
    timed = [trial for trial in trials if trial["workload"] == "throughput-50"]
    assert [trial["runs"] for trial in timed] == ["always"] * 12 + ["while imprecise"] * 8


def test_a_run_is_not_written_over_something_else(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    (only,) = refused(capsys, "run", "quick", "--out", tmp_path)
    assert "holds something that is no run" in only
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_show_prints_the_published_figures_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["show", "resnet:stem=deep64", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    # timm's table for the network with this stem: 25,680,808 parameters, 5.47 GMACs, 13.52 M activations.
    assert shown["parameters"] == 25_680_808
    assert round(shown["macs_with_norm"] / 1e9, 2) == 5.47
    assert round(shown["activations"] / 1e6, 2) == 13.52
    assert set(shown) >= {
        "variant",
        "levels",
        "parameters",
        "macs",
        "macs_with_norm",
        "activations",
        "output_shape",
    }


@pytest.mark.parametrize("what", sorted(LISTINGS))
def test_every_listing_prints_and_is_json_too(capsys: pytest.CaptureFixture[str], what: str) -> None:
    assert _main(["list", what]) == 0
    assert what in capsys.readouterr().out
    assert _main(["list", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert all(isinstance(row, dict) for row in rows)


def test_a_plan_names_every_trial_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["plan", "quick", "--json", "--device", "cpu"]) == 0
    trials = json.loads(capsys.readouterr().out)
    assert len({trial["trial"] for trial in trials}) == len(trials)
    # Eight arms and the control train with seven seeds, two placebos with two, the baseline with sixteen;
    # all are timed together in twelve processes.
    assert sum(trial["workload"] == "convergence" for trial in trials) == 9 * 7 + 2 * 2 + 16
    timed = [trial for trial in trials if trial["workload"] == "throughput"]
    assert [len(trial["arms"]) for trial in timed] == [12] * 12
    assert all(trial["estimated_seconds"] > 0 for trial in trials)

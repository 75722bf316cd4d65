"""`ablate table`: three formats, and one clear line for whatever is wrong; where torch cannot be imported."""

import io
from pathlib import Path

import pandas as pd
import pytest

from tests.results.planted import Plan, write_run
from tests.results.planted_benchmarks import content, level, write
from tests.test_imports import run_command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = Plan(environments=("laptop-1", "server-2"), processes=2, seeds=2)
    return write_run(tmp_path_factory.mktemp("runs") / "planted", plan)


def test_markdown_is_what_is_printed_by_default_a_table_for_each_environment(folder: Path) -> None:
    said = run_command("table", folder)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.count("| baseline |") == 2
    assert said.stdout.startswith("**What each change does against the baseline on laptop-1.")


def test_latex_and_csv_of_one_environment_and_metric(folder: Path) -> None:
    chosen = ("--environment", "server-2", "--metric", "step_seconds")
    said = run_command("table", folder, "--format", "latex", *chosen)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.count(r"\begin{threeparttable}") == 1
    said = run_command("table", folder, "--format", "csv", *chosen, "--workload", "throughput-64")
    table = pd.read_csv(io.StringIO(said.stdout))
    assert set(table["environment"]) == {"server-2"}
    assert set(table["metric"]) == {"step_seconds"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--format", "latx"], "--format 'latx': expected md, latex or csv; did you mean 'latex'?"),
        (["--metric", "step_second"], "not in this run's headline; did you mean 'step_seconds'?"),
        (
            ["--workload", "memory"],
            "'memory': not in this run's headline; did you mean 'memory-224'?",
        ),
        (["--environment", "server"], "--environment 'server': not in this run's headline; did you mean"),
        (["--metric", "macs", "--workload", "digits-32"], "no headline metric of macs in digits-32"),
    ],
)
def test_a_bad_name_is_told_in_one_line_with_the_nearest(
    folder: Path, arguments: list[str], line: str
) -> None:
    said = run_command("table", folder, *arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert line in said.stderr
    assert len(said.stderr.splitlines()) == 1


def test_what_is_no_run_or_holds_no_headline_is_told_in_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "blocks.json", content(level("batch", 1e-3, baseline=True), level("group", 2e-3)))
    assert run_command("import", "--quiet", file, "--into", tmp_path / "run").returncode == 0
    for folder, line in ((tmp_path / "run", "no headline metric is on record"), (tmp_path, "not a run")):
        said = run_command("table", folder)
        assert (said.returncode, said.stdout) == (2, "")
        assert line in said.stderr
        assert len(said.stderr.splitlines()) == 1

"""Two runs on a terminal: what changed comes first and whole, and the exit code is for a CI job."""

import json
from pathlib import Path

import pytest

from results.records.resolved_study import read_study, write_study
from runners.terminal.comparison import show_comparison
from runners.terminal.ending import DONE, REGRESSED
from tests.results.planted import STEM, write_run
from tests.results.test_compare import renamed_input, slower


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "before")


@pytest.mark.parametrize("columns", [80, 100])
def test_what_got_slower_comes_first_with_absolute_figures_that_fit(
    before: Path,
    tmp_path: Path,
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    after = slower(write_run(tmp_path / "after"), 1.41)
    assert show_comparison(before, after, as_json=False) == REGRESSED
    lines = capsys.readouterr().out.splitlines()
    tables = [line for line in lines if line.startswith("  ")]
    assert max(map(len, tables)) <= columns
    titles = [line.split(":")[0] for line in lines if line.startswith(("regressed", "improved", "same"))]
    assert titles[0] == "regressed"
    assert titles[-1] == "same"
    row = next(line for line in tables if " ms" in line)
    assert row.count(" ms") == 2
    assert "+41 %" in row


def test_the_same_run_twice_has_regressed_nowhere(before: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_comparison(before, before, as_json=False) == DONE
    said = capsys.readouterr().out
    assert "regressed" not in said
    assert "peak memory" in said


def test_json_has_every_row(before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = slower(write_run(tmp_path / "after"), 0.5, arms={STEM})
    assert show_comparison(before, after, as_json=True) == DONE
    rows = json.loads(capsys.readouterr().out)
    improved = [row for row in rows if row["status"] == "improved"]
    assert {row["arm"] for row in improved} == {STEM}
    assert all(row["first"] == pytest.approx(2 * row["second"]) for row in improved)


def test_runs_that_share_no_context_say_so(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    after = write_run(tmp_path / "after")
    write_study(after, renamed_input(read_study(after)))
    assert show_comparison(before, after, as_json=False) == DONE
    said = capsys.readouterr().out
    assert "nothing can be compared" in said
    assert "only in the first" in said

"""A report in short, and in shorter: what went wrong and where to read on."""

from pathlib import Path

import pytest

from results.records.directory import write_record
from results.records.files import write_json
from results.records.resolved_study import write_study
from runners.terminal.summary import show_report
from runners.terminal.tables import console
from tests.results.planted import ENVIRONMENT, HUGE, outcome, record
from tests.results.planted_timing import TimingPlan, study, write_timed_run


@pytest.fixture(autouse=True)
def _without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = b'<svg viewBox="0 0 1 1"></svg>'
    monkeypatch.setattr("results.plots.drawn", lambda _: (drawing, b""))
    monkeypatch.setattr("results.report.write.drawn_on_phones", lambda _: drawing)


def shown(run: Path, capsys: pytest.CaptureFixture[str], *, quiet: bool) -> tuple[int, list[str]]:
    code = show_report(run, console(), quiet=quiet)
    return code, capsys.readouterr().out.splitlines()


def test_the_answer_is_shown_and_where_to_read_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_timed_run(tmp_path / "run", TimingPlan(isolated=1))
    _, lines = shown(run, capsys, quiet=False)
    assert any("stem=deep64" in line and "%" in line for line in lines)
    assert lines[-1] == f"report: {run / 'report' / 'index.html'}"


def test_quiet_is_what_went_wrong_the_reports_path_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_timed_run(tmp_path / "run", TimingPlan(isolated=1))
    code, (*failures, last) = shown(run, capsys, quiet=True)
    assert code == 1, "the planted arm that is too large"
    assert failures
    assert all(line.startswith("out_of_memory: width=huge in ") for line in failures)
    assert last == f"report: {run / 'report' / 'index.html'}"


@pytest.mark.parametrize("quiet", [False, True])
def test_a_trial_that_failed_is_named_once_with_its_count_and_decides_the_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    run = write_timed_run(tmp_path / "run", TimingPlan(isolated=1))
    for process in (7, 8):
        lost = outcome(HUGE, "failed", "RuntimeError: [b]planted[/b]")
        write_record(run, record("speed", f"process-{process}", lost))
    code, lines = shown(run, capsys, quiet=quiet)
    assert code == 1
    assert "failed: width=huge in speed (2 trials): RuntimeError: [b]planted[/b]" in lines
    assert lines[-1].startswith("report: ")


def test_what_is_not_applicable_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_study(tmp_path, study(TimingPlan()))
    write_json(tmp_path / "environment" / f"{ENVIRONMENT}.json", {"cpu": "Example CPU, 2 cores"})
    write_record(tmp_path, record("speed", "process-0", outcome(HUGE, "not_applicable", "no such pooling")))
    code, lines = shown(tmp_path, capsys, quiet=True)
    assert (code, lines[0]) == (0, "not_applicable: width=huge in speed: no such pooling")

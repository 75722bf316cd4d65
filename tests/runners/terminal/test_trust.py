"""What a terminal says about how far timed figures can be trusted."""

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from results.report import Report, write_report
from runners.__main__ import MOST_WARNINGS, _print_headline
from tests.results.planted_timing import TimingPlan, study, write_timed_run


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The report of a run on a busy machine, its figures left empty."""

    def save(figure: Figure, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.svg").write_text("<svg/>")

    monkeypatch.setattr("results.plots.save", save)
    plan = TimingPlan(isolated=1, marks=("busy",), readings=(("others_cores", 0.8),))
    return write_report(write_timed_run(tmp_path / "run", plan))


def said(report: Report, capsys: pytest.CaptureFixture[str]) -> str:
    _print_headline(report, study(TimingPlan()))
    return " ".join(capsys.readouterr().out.split())


def test_the_noise_floor_and_what_disturbed_the_timing_are_printed(
    written: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = said(written, capsys)
    assert f"noise floor (A/A): {written.noise_floor}" in shown
    assert shown.count("warning: ") == 1
    assert "other processes used 0.8 cores" in shown


@pytest.mark.parametrize("many", [MOST_WARNINGS, MOST_WARNINGS + 1, MOST_WARNINGS + 7])
def test_no_more_lines_are_spent_on_warnings_than_there_is_room_for(
    written: Report, capsys: pytest.CaptureFixture[str], many: int
) -> None:
    warnings = tuple(f"thing {i} [b]happened[/b]" for i in range(many))
    shown = said(replace(written, warnings=warnings), capsys)
    lines = shown.count("warning: thing")
    left = many - lines
    assert lines + (left > 0) == MOST_WARNINGS
    assert (f"and {left} more warnings: see the report" in shown) == (left > 0)
    assert "[b]happened[/b]" in shown, "what a warning holds is no markup"

"""The report on a terminal: the answer with its intervals, in as many columns as there are."""

import io
from pathlib import Path

import pytest
from rich.console import Console

import results
from results.report.document import document
from results.report.renderers.terminal import show
from results.run import Run
from tests.results.planted import CONTROL, NORM, STEM, Plan, write_run


def shown(run: Run, columns: int) -> str:
    output = io.StringIO()
    show(document(run.analysis), Console(file=output, width=columns, color_system=None))
    return output.getvalue()


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
def test_nothing_is_cut_off(run: Run, columns: int) -> None:
    said = shown(run, columns)
    assert max(map(len, said.splitlines())) <= columns
    assert "…" not in said
    flat = "".join(said.split())
    assert STEM in flat
    assert "instead" not in flat, "a terminal gets the table, not the prose"


def test_the_answer_has_the_baselines_figures_intervals_and_n(run: Run) -> None:
    said = shown(run, 160)
    assert "6.00 GiB" in said, "the baseline's peak"
    assert "n = 6" in said
    rows = [line.split() for line in said.splitlines()]
    assert any(row[:4] == [NORM, "▲", "−28", "%"] for row in rows), "memory"
    assert any(row[:2] == [STEM, "▼"] and "to" in row for row in rows), "time, with its interval"
    assert CONTROL not in said


def test_a_failed_control_stands_before_the_answer(broken: Run) -> None:
    said = shown(broken, 100)
    assert said.index("This report is invalid") < said.index(STEM)


def test_long_reasons_are_told_once_and_whole(tmp_path: Path) -> None:
    reason = "needs 96 GiB for the activations of the first stage alone, and 24 GiB are free on this card"
    run = results.load(write_run(tmp_path / "run", Plan(processes=2, seeds=2, reason=reason)))
    said = " ".join(shown(run, 80).split())
    assert said.count(f"memory-224: {reason}") == 1

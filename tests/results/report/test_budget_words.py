"""What a budget left undone: how many trials, which contrasts, and how long the rest takes."""

from dataclasses import replace
from pathlib import Path

import pytest

import results
from results.records.directory import Stop, read_records, write_plan
from results.records.record import Record
from results.report.document import document
from results.report.section import Alert
from tests.results.planted import ENVIRONMENT, NORM, STEM, Plan, write_run


def alerts(run: Path) -> dict[str, Alert]:
    return {alert.title: alert for alert in document(results.load(run).analysis).alerts}


def trials(run: Path) -> set[str]:
    return {record.trial for record in read_records(run)[0]}


def without(run: Path, workload: str, arm: str, kept: int) -> list[Record]:
    """Take away an arm's trainings but for the first ones."""
    gone = [
        record
        for record in read_records(run)[0]
        if record.workload == workload
        and record.block_number >= kept
        and [outcome.arm for outcome in record.outcomes] == [arm]
    ]
    for record in gone:
        (run / "records" / record.file_name).unlink()
    return gone


@pytest.fixture
def cut(tmp_path: Path) -> tuple[Path, str, int]:
    """A run that a budget of two minutes ended: an arm has four seeds, another six of those planned."""
    run = write_run(tmp_path / "run", Plan(seeds=8))
    every = trials(run)
    (workload,) = {r.workload for r in read_records(run)[0] if r.block.startswith("seed-")}
    gone = without(run, workload, NORM, 4) + without(run, workload, STEM, 6)
    assert len(gone) == 4 + 2
    write_plan(run, ENVIRONMENT, every, Stop(120.0, 185.0))
    return run, workload, len(every)


def test_it_says_what_is_left_what_is_not_decided_and_how_to_go_on(cut: tuple[Path, str, int]) -> None:
    run, workload, count = cut
    found = alerts(run)
    assert found["The budget ended the run."].text == (
        f"After 2 min, 6 of {count} trials are left. Not decided for lack of time: {workload} of {NORM}. "
        "About 3 min more would finish; the same command goes on, and keeps what is on record."
    )
    assert "The plan is not complete." not in found, "one sentence of it is enough"


def test_a_trial_that_was_killed_is_left_and_one_that_failed_is_not(cut: tuple[Path, str, int]) -> None:
    run, workload, count = cut
    mine = [r for r in read_records(run)[0] if r.workload == workload][:2]
    for record, status in zip(mine, ("killed", "failed"), strict=True):
        path = run / "records" / record.file_name
        text = path.read_text()
        assert '"status": "ok"' in text
        path.write_text(text.replace('"status": "ok"', f'"status": "{status}"'))
    assert f"7 of {count} trials are left" in alerts(run)["The budget ended the run."].text


def test_nothing_is_said_where_no_budget_ended_it(cut: tuple[Path, str, int]) -> None:
    run, _, _ = cut
    write_plan(run, ENVIRONMENT, results.load(run).analysis.plans[ENVIRONMENT])
    found = alerts(run)
    assert "The budget ended the run." not in found
    assert "The plan is not complete." in found


def test_a_run_of_which_nothing_is_on_record_has_a_report_all_the_same(cut: tuple[Path, str, int]) -> None:
    run, _, count = cut
    for path in (run / "records").iterdir():
        path.unlink()
    loaded = results.load(run)
    loaded.report()
    text = alerts(run)["The budget ended the run."].text
    assert f"{count} of {count} trials are left. Not decided for lack of time: " in text
    assert replace(loaded.analysis.stops[ENVIRONMENT], seconds_left=0.0) == Stop(120.0, 0.0)

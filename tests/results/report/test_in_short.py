"""The answer in short on runs in which something is invalid, missing, drowned or worse elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import results
from results.records.directory import write_record
from results.records.files import write_json
from results.records.record import OutcomeDetails
from results.records.resolved_study import write_study
from results.report.document import document
from results.report.section import Bullets
from results.run import Run
from tests.results import planted
from tests.results.planted import BASELINE, ENVIRONMENT, HUGE, NORM, RELU, STEM, Plan


def said(run: Run) -> dict[str, str]:
    (first, *_) = document(run.analysis).sections[0].parts
    assert isinstance(first, Bullets)
    return {sentence.lead.removesuffix(":"): sentence.text for sentence in first.sentences}


def written(path: Path, lost: Callable[[str, str], bool], plan: Plan | None = None) -> Run:
    """A planted run in which some trainings diverged."""
    plan = plan or Plan(diverged=())
    write_study(path, planted.study(plan))
    write_json(path / "environment" / f"{ENVIRONMENT}.json", {"cpu": "Example CPU"})
    rng = np.random.default_rng(1)
    kept = [*planted._complexity(), *planted._memory(plan), *planted._timed(plan, rng)]
    for record in (*kept, *planted._convergence(plan, rng)):
        (first, *_), found = record.outcomes, record
        if record.workload == "digits-32" and lost(first.arm, record.block):
            gone = {"measurements": (), "curves": (), "details": OutcomeDetails()}
            diverged = replace(first, status="diverged", reason="loss is not finite", **gone)  # type: ignore[arg-type]
            found = replace(record, outcomes=(diverged,))
        write_record(path, found)
    return results.load(path)


def test_an_invalid_metric_takes_no_other_with_it(tmp_path: Path) -> None:
    """The duplicate is slower, so time is invalid; accuracy and memory are as they were."""
    told = said(results.load(planted.write_run(tmp_path / "run", Plan(control_time=1.3))))
    assert told["Not to be trusted"].startswith("time of ")
    assert STEM in told["Buys accuracy"]
    assert "no change" not in told["Buys accuracy"]
    assert f"{NORM} (memory −28 %" in told["Costs accuracy"]
    assert not any("time" in text for head, text in told.items() if head != "Not to be trusted")


def test_what_has_no_number_is_neither_undecided_nor_free(tmp_path: Path) -> None:
    told = said(written(tmp_path / "run", lambda arm, _: arm == NORM))
    assert NORM in told["Without a number"]
    assert "accuracy of" in told["Without a number"]
    assert f"memory of {HUGE}" in told["Without a number"]
    assert HUGE not in told.get("Undecided", "")
    assert NORM not in told.get("Free", "")


def test_nothing_is_free_while_a_kind_of_workload_has_no_answer(tmp_path: Path) -> None:
    path = planted.write_run(tmp_path / "run")
    for record in (path / "records").glob("digits-32-*"):
        record.unlink()
    told = said(results.load(path))
    assert "Free" not in told
    assert STEM in told["Expensive"]


def test_what_is_worse_in_another_workload_is_not_free(tmp_path: Path) -> None:
    """A second memory workload, declared first, in which nothing differs."""
    plan = Plan()
    path = planted.write_run(tmp_path / "run", plan)
    whole = planted.study(plan)
    complexity, memory, *others = whole.workloads
    small = replace(memory, name="memory-32", input_size=32)
    write_study(path, replace(whole, workloads=(complexity, small, memory, *others)))
    for record in planted._memory(plan):
        (one,) = record.outcomes
        if one.arm == HUGE:
            continue
        peaks = [m for m in one.measurements if m.metric == "peak_bytes"]
        same = replace(one, measurements=tuple(replace(m, values=(1e6,)) for m in peaks))
        name = record.trial.replace("224", "32")
        write_record(path, replace(record, trial=name, workload="memory-32", outcomes=(same,)))
    told = said(results.load(path))
    assert RELU not in told.get("Free", "")
    assert f"{RELU} (memory in memory-224 +15 %" in told["Expensive"]


@pytest.mark.parametrize("survivors", [0, 1])
def test_a_baseline_that_diverges_leaves_a_report(tmp_path: Path, survivors: int) -> None:
    """Then the control of how often seeds diverge fails, and some arms have no seed beside it."""
    run = written(
        tmp_path / "run", lambda arm, block: arm == BASELINE and not (survivors and block == "seed-1")
    )
    notes = run.effects(control=True).query("metric == 'diverged_fraction'")["note"]
    assert notes.str.contains("no runs of both sides ended").any()
    assert run.report().index.is_file()

"""Two runs side by side: absolute figures in the same context, what changed first."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import results
from results.compare import STATUSES, compare, regressed
from results.records.directory import read_record, write_record
from results.records.resolved_study import ResolvedStudy, read_study, write_study
from results.run import Run
from tests.results.planted import STEM, Plan, write_run

TIME = "metric == 'step_seconds' and mode == 'train'"


def slower(path: Path, factor: float, *, arms: set[str] | None = None) -> Path:
    """The same run with every timed step so many times as long."""
    for file in (path / "records").glob("throughput-64-*"):
        one = read_record(file)
        outcomes = tuple(
            replace(
                outcome,
                measurements=tuple(
                    replace(m, values=tuple(factor * value for value in m.values))
                    for m in outcome.measurements
                ),
            )
            if arms is None or outcome.arm in arms
            else outcome
            for outcome in one.outcomes
        )
        file.unlink()
        write_record(path, replace(one, outcomes=outcomes))
    return path


def renamed_input(study: ResolvedStudy) -> ResolvedStudy:
    """The same study on other images or in another precision."""
    changed = tuple(
        replace(w, input_size=512) if w.name == "throughput-64" else replace(w, precision="bf16")
        for w in study.workloads
    )
    return replace(study, workloads=changed)


def test_a_run_beside_itself_has_regressed_nowhere(run: Run) -> None:
    found = compare(run, run)
    assert set(found["status"]) <= {"same", "cannot tell"}
    seeds = found[found["metric"].isin(["test_accuracy", "train_loss"])]
    assert set(seeds["status"]) == {"same"}, "the same seeds say the same"
    assert not regressed(found)
    exact = found[found["exact"]]
    assert set(exact["status"]) == {"same"}


def test_a_network_that_got_slower_is_seen_though_every_ratio_stayed(run: Run, tmp_path: Path) -> None:
    other = results.load(slower(write_run(tmp_path / "run"), 1.41))
    found = compare(run, other)
    assert regressed(found)
    assert list(found["status"].drop_duplicates()) == [s for s in STATUSES if s in set(found["status"])]
    baseline = found.query(f"{TIME} and arm == 'baseline'").iloc[0]
    assert baseline["status"] == "regressed"
    assert baseline["change"] == pytest.approx(1.41)


def test_absolute_figures_carry_the_interval_of_their_own_processes(run: Run, tmp_path: Path) -> None:
    other = results.load(slower(write_run(tmp_path / "run"), 1.41))
    one = compare(run, other).query(f"{TIME} and arm == @STEM").iloc[0]
    frame = run.measurements
    mine = frame[(frame["metric"] == "step_seconds") & (frame["mode"] == "train") & (frame["arm"] == STEM)]
    logs = np.log(mine.groupby("block")["value"].median())
    interval = stats.ttest_1samp(logs, 0).confidence_interval(0.95)
    assert one["first"] == pytest.approx(np.exp(logs.mean()))
    assert (one["first_low"], one["first_high"]) == pytest.approx(
        (np.exp(interval.low), np.exp(interval.high))
    )
    family = len(compare(run, other).query("metric == 'step_seconds' and change.notna()"))
    welch = stats.ttest_ind(logs + np.log(1.41), logs, equal_var=False).confidence_interval(1 - 0.05 / family)
    assert (one["ci_low"], one["ci_high"]) == pytest.approx((np.exp(welch.low), np.exp(welch.high)))


@pytest.mark.parametrize("factor", [1.03, 1.08, 0.93])
def test_a_machine_some_percent_slower_or_faster_an_hour_later_is_no_regression(
    run: Run, tmp_path: Path, factor: float
) -> None:
    found = compare(run, results.load(slower(write_run(tmp_path / "run"), factor))).query(TIME)
    assert set(found["status"]) <= {"same", "cannot tell"}
    assert found["alike"].all(), "and it is told that all arms moved together"


def test_one_arm_that_got_slower_is_not_alike(run: Run, tmp_path: Path) -> None:
    found = compare(run, results.load(slower(write_run(tmp_path / "run"), 1.3, arms={STEM}))).query(TIME)
    assert set(found[found["status"] == "regressed"]["arm"]) == {STEM}
    assert not found["alike"].any()


def test_what_got_faster_has_improved(run: Run, tmp_path: Path) -> None:
    other = results.load(slower(write_run(tmp_path / "run"), 0.5, arms={STEM}))
    found = compare(run, other)
    assert not regressed(found)
    assert set(found[found["status"] == "improved"]["arm"]) == {STEM}


def test_another_input_size_or_precision_is_never_an_agreement(run: Run, tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    write_study(path, renamed_input(read_study(path)))
    found = compare(run, results.load(path))
    assert set(found["status"]) == {"only in the first", "only in the second"}


@pytest.mark.parametrize(("changes", "shared"), [({"inside": 5}, True), ({"epochs": 9}, False)])
def test_a_training_that_was_looked_at_is_the_same_training(
    run: Run, tmp_path: Path, changes: dict[str, int], shared: bool
) -> None:
    other = write_run(tmp_path / "run")
    study = read_study(other)
    workloads = tuple(replace(w, settings={**w.settings, **changes}) for w in study.workloads)
    write_study(other, replace(study, workloads=workloads))
    found = compare(run, results.load(other)).query("metric == 'test_accuracy'")
    assert found["first"].notna().any()
    assert (found["first"].notna() & found["second"].notna()).any() == shared


def test_two_machines_are_compared_by_what_each_change_does_there(run: Run, tmp_path: Path) -> None:
    path = slower(write_run(tmp_path / "run", Plan(environments=("server-2",))), 3.0)
    found = compare(run, results.load(path))
    time = found[found["metric"] == "step_seconds"]
    assert set(time["compared"]) == {"effect"}
    assert not regressed(found), "another machine is no regression"
    stem = time.query("mode == 'train' and arm == @STEM").iloc[0]
    assert stem["first"] == pytest.approx(1.25, rel=0.03)
    memory = found[found["metric"] == "peak_bytes"]
    assert set(memory["compared"]) == {"value"}
    assert set(memory["status"]) == {"same"}


def test_what_one_run_alone_has_is_listed_last(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.analysis.path, copy, ignore=shutil.ignore_patterns("report"))
    for file in (copy / "records").glob("throughput*"):
        file.unlink()
    found = compare(run, results.load(copy))
    alone = found[found["metric"] == "step_seconds"]
    assert set(alone["status"]) == {"only in the first"}
    assert list(found.index[-len(alone) :]) == list(alone.index)
    assert pd.isna(alone["change"]).all()

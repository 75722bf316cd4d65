from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import results
from results.records.resolved_study import write_study
from results.report import disturbances
from results.run import Run
from results.tables.headline import headline_rows
from tests.results.planted import BASELINE, CONTROL, HUGE, NORM, STEM
from tests.results.planted_timing import TimingPlan, write_timed_run


def warnings(run: Run) -> list[str]:
    found = run.analysis
    return disturbances.warnings(found.stretches, found.timed_arms, found.isolation)


def load(path: Path, plan: TimingPlan) -> Run:
    return results.load(write_timed_run(path / "run", plan))


@pytest.fixture(scope="module")
def bent(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The deep stem costs a quarter more among others, and four tenths more alone."""
    return load(tmp_path_factory.mktemp("runs"), TimingPlan(isolated_stem=1.4))


def log_ratios(run: Run, workload: str, arm: str) -> Any:
    """By plain pandas: the median over rounds of paired log-ratios, by process."""
    frame = run.measurements
    mask = (frame["workload"] == workload) & (frame["metric"] == "step_seconds") & (frame["mode"] == "train")
    logs = {
        name: np.log(frame[mask & (frame["arm"] == name)].set_index(["block", "round"])["value"])
        for name in (arm, BASELINE)
    }
    return (logs[arm] - logs[BASELINE]).groupby("block").median()


def row(run: Run, arm: str) -> "pd.Series[Any]":
    return run.analysis.isolation.query("arm == @arm and mode == 'train'").iloc[0]


def test_the_p_value_is_welchs_adjusted_over_arms_and_modes(bent: Run) -> None:
    for arm in (STEM, NORM):
        sides = (log_ratios(bent, name, arm) for name in ("speed", "speed-isolated"))
        p = stats.ttest_ind(*sides, equal_var=False).pvalue
        assert row(bent, arm)["p_value"] == pytest.approx(p)
        assert row(bent, arm)["p_adjusted"] == pytest.approx(min(1.0, 6 * p)), "three arms, two modes"


def test_a_planted_disagreement_is_flagged_and_agreement_is_not(bent: Run) -> None:
    assert row(bent, STEM)["verdict"] == "disagree"
    assert row(bent, NORM)["verdict"] == "agree"
    effects = bent.effects().query("metric == 'step_seconds' and mode == 'train'")
    notes = effects[effects["workload"] == "speed"].set_index("arm")["note"]
    assert "isolated processes disagree: ×1.41 [×1.37 to ×1.45] instead of ×1.26 [×" in notes[STEM]
    assert "isolated" not in notes[NORM]
    assert not effects[effects["workload"] != "speed"]["note"].str.contains("disagree").any()
    told = [warning for warning in warnings(bent) if "disagree" in warning]
    assert [warning.split(": ")[1] for warning in told] == [f"{STEM}, train", f"{STEM}, inference"]


def test_without_a_difference_nothing_is_said(tmp_path: Path) -> None:
    run = load(tmp_path, TimingPlan())
    assert set(run.analysis.isolation["verdict"]) == {"agree", "too few"}
    assert set(run.analysis.isolation.query("verdict == 'too few'")["arm"]) == {HUGE}
    assert warnings(run) == []
    assert not run.effects()["note"].str.contains("isolated").any()


def test_both_sides_show_the_numbers_of_the_table_of_effects(bent: Run) -> None:
    effects = bent.effects().query("metric == 'step_seconds' and mode == 'train' and arm == @STEM")
    one = effects.set_index("workload")
    found = row(bent, STEM)
    assert found["ci_low"] == one.loc["speed", "ci_low"]
    assert found["isolated_ci_high"] == one.loc["speed-isolated", "ci_high"]
    assert (found["n"], found["isolated_n"]) == (6, 5)


def test_two_processes_say_nothing(tmp_path: Path) -> None:
    run = load(tmp_path, TimingPlan(isolated=2, isolated_stem=2.0))
    assert set(run.analysis.isolation["verdict"]) == {"too few"}
    assert warnings(run) == []


def test_isolated_rows_stay_out_of_headline_and_control_family(bent: Run) -> None:
    effects = bent.effects(control=True)
    assert not effects[effects["workload"] == "speed-isolated"]["headline"].any()
    assert set(headline_rows(effects)["workload"]) == {"speed", "speed-4GiB"}
    assert not [column for column in map(str, bent.variants()) if column.startswith("speed-isolated: step")]
    control = effects[effects["arm"] == CONTROL]
    families = control.groupby("workload")["family"].unique().map(list)
    assert families["speed"] == ["A/A laptop-1"]
    assert families["speed-isolated"] == ["A/A spot check laptop-1"]


def test_a_spot_check_leaves_the_other_rows_as_they_are(bent: Run, tmp_path: Path) -> None:
    study = bent.analysis.study
    path = write_timed_run(tmp_path / "run", TimingPlan(isolated_stem=1.4))
    for file in (path / "records").glob("speed-isolated*"):
        file.unlink()
    kept = tuple(w for w in study.workloads if w.name != "speed-isolated")
    write_study(path, replace(study, workloads=kept))
    alone = results.load(path).effects(control=True)
    both = bent.effects(control=True).query("workload != 'speed-isolated'").reset_index(drop=True)
    columns = ["effect", "ci_low", "ci_high", "p_adjusted", "verdict", "noise_floor", "family"]
    pd.testing.assert_frame_equal(both[columns], alone[columns])

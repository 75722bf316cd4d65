from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import results
from results.report import disturbances
from results.run import Run
from results.tables.machine import machine
from tests.results.planted import STEM
from tests.results.planted_timing import TimingPlan, write_timed_run
from tests.results.report.test_write import page

HOSTILE = "<img src=x onerror=alert(1)> |*x*"


def warnings(run: Run) -> list[str]:
    found = run.analysis
    return disturbances.warnings(found.stretches, found.timed_arms, found.isolation)


def load(path: Path, **given: Any) -> Run:
    return results.load(write_timed_run(path / "run", TimingPlan(isolated=1, **given)))


@pytest.mark.parametrize(
    ("mark", "readings", "said", "advice"),
    [
        ("busy", {"others_cores": 0.83}, "other processes used 0.8 cores", "close other programs"),
        ("steal", {"steal_share": 0.07}, "lost 7.0 % of the machine's time", "choose a dedicated host"),
        (
            "throttled",
            {"throttled_share": 0.3},
            "for 30.0 % of their time",
            "to at least 2 cores, or set threads = 1",
        ),
        ("clock", {"clock_mhz": 2400.0}, "ran at 2,400 MHz", "fix the clock"),
        ("device", {"device_throttling": "power cap"}, "held its clock down (power cap)", "lock its clock"),
    ],
)
def test_each_mark_is_told_with_what_was_read_and_what_to_do(
    tmp_path: Path, mark: str, readings: dict[str, Any], said: str, advice: str
) -> None:
    run = load(tmp_path, marks=(mark,), readings=tuple(readings.items()))
    (warning,) = warnings(run)
    # Three of six processes are disturbed in each of four workloads; the one isolated process is not.
    assert warning.startswith("speed")
    assert "50 % of the stretches timed" in warning
    assert said in warning
    assert warning.index(advice) > warning.index(said)
    assert "isolated" not in warning


def test_a_mark_now_and_then_is_not_worth_a_word(tmp_path: Path) -> None:
    run = load(tmp_path, marks=("busy",), readings=(("others_cores", 0.8),))
    few = [marks if i % 12 == 0 else () for i, marks in enumerate(run.analysis.stretches["marks"])]
    rare = run.analysis.stretches.assign(marks=pd.Series(few, index=run.analysis.stretches.index))
    assert disturbances.warnings(rare, run.analysis.timed_arms, run.analysis.isolation) == []


def test_an_arm_that_was_not_steady_is_named(tmp_path: Path) -> None:
    run = load(tmp_path, unsteady=(STEM,))
    (warning,) = warnings(run)
    assert f" {STEM} (50 of 50 warm-ups);" in warning, "4 workloads, 6 processes, 2 modes; and the isolated"
    assert "raise arm_seconds" in warning
    table = run.analysis.speed.query("workload == 'speed' and mode == 'train'").set_index("arm")
    assert table.loc[STEM, "unsteady_processes"] == 6
    assert table["unsteady_processes"].drop(STEM).fillna(0).eq(0).all()


def test_the_machine_is_summed_up_by_process(tmp_path: Path) -> None:
    run = load(tmp_path, marks=("busy",), readings=(("others_cores", 0.8),))
    machine = run.analysis.machine.query("workload == 'speed'").set_index("process")
    assert machine.loc["process-0", "others_cores_median"] == 0.1
    assert machine.loc["process-5", "others_cores_max"] == 0.8
    assert machine["marked_share"].tolist() == [0, 0, 0, 1, 1, 1]
    assert machine.loc["process-1", "energy_joules"] == 2 * 3 * 3, "modes, stretches, joules"
    assert run.analysis.machine.query("workload == 'speed-isolated'")["arm"].nunique() == 5


def test_the_clock_spread_is_the_highest_over_the_lowest(tmp_path: Path) -> None:
    stretches = load(tmp_path).analysis.stretches.copy()
    stretches.loc[stretches.index[0], "clock_mhz"] = 2400.0
    found = machine(stretches).set_index("trial")
    assert found.loc[stretches["trial"].iloc[0], "clock_spread"] == pytest.approx(3000 / 2400 - 1)


@pytest.mark.usefixtures("quick")
def test_warnings_stand_on_the_page_escaped_and_in_the_report(tmp_path: Path) -> None:
    plan = TimingPlan(isolated=1, marks=("device",), readings=(("device_throttling", HOSTILE),))
    report = results.load(write_timed_run(tmp_path / "run", plan)).report()
    (alert,) = (alert for alert in report.document.alerts if alert.title == "Read the times with care.")
    (warning,) = alert.items
    assert HOSTILE in warning
    found = page(report)
    assert warning in found.text
    assert not [attributes for _, attributes in found.tags if "onerror" in attributes]
    assert "Read the times with care" in found.text
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    assert "&lt;img src=x onerror=alert(1)&gt; \\|\\*x\\*" in markdown
    for name in ("throughput", "machine"):
        assert (report.index.parent / "tables" / f"{name}.csv").is_file()
    said = "Noise of this run, the baseline against a duplicate of itself: time per step, train"
    assert f"{said} [speed] ±" in found.text


def test_environments_are_named_where_there_are_several(tmp_path: Path) -> None:
    run = load(tmp_path, marks=("busy",), readings=(("others_cores", 0.8),))
    none = pd.Series([()] * len(run.analysis.stretches), index=run.analysis.stretches.index)
    quiet = run.analysis.stretches.assign(environment="server-2", marks=none)
    stretches = pd.concat([run.analysis.stretches, quiet])
    arms = pd.concat([run.analysis.timed_arms, run.analysis.timed_arms.assign(environment="server-2")])
    (warning,) = disturbances.warnings(stretches, arms, run.analysis.isolation)
    assert " on laptop-1: " in warning

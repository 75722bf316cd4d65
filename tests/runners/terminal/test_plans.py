"""Plans as people read them: a line a workload, every trial on request."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from results.tables.format import duration
from runners import study
from runners.__main__ import _main
from runners.plan import Plan, plan
from runners.terminal.plans import print_plan, print_warnings, trial_rows, workload_rows

PLANTED = Path(__file__).parents[2] / "data" / "planted.toml"


@pytest.fixture(scope="module", name="stem")
def _stem() -> Plan:
    return plan(study.load("stem"), cores=2)


def test_a_plan_is_a_line_a_workload_with_its_context_and_forecast(stem: Plan) -> None:
    rows = {row["workload"]: row for row in workload_rows(stem, 2)}
    assert list(rows) == [workload.name for workload in stem.study.workloads]
    row = rows["throughput-50"]
    assert row["context"] == "resnet, 64 px, batch 8"
    assert (row["trials"], row["blocks"], row["arms"]) == ("12 to 20", "12 to 20", 4)
    # Timed trials have the machine to themselves: they add up.
    trials = [trial for trial in stem.trials if trial.workload.name == "throughput-50"]
    fewest = sum(trial.estimated_seconds for trial in trials[:12])
    most = sum(trial.estimated_seconds for trial in trials)
    assert row["forecast"] == f"{duration(fewest)} to {duration(most)}"
    assert (rows["memory"]["trials"], rows["memory"]["blocks"], rows["memory"]["arms"]) == ("3", "1", 3)


def test_every_trial_is_a_row_where_that_is_asked_for(stem: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    print_plan("stem", stem, 2, trials=True)
    shown = capsys.readouterr().out
    assert all(trial.id in shown for trial in stem.trials)
    print_plan("stem", stem, 2, trials=False)
    assert not any(trial.id in capsys.readouterr().out for trial in stem.trials)


def test_the_total_says_what_is_certain_and_what_may_come(
    stem: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    print_plan("stem", stem, 2, trials=False)
    total = capsys.readouterr().out.strip().splitlines()[-1]
    fewest = sum(not trial.optional for trial in stem.trials)
    assert total.startswith(f"{fewest} trials, about ")
    assert f"; up to {len(stem.trials)} trials, " in total


def test_what_will_fail_is_told_beside_the_plan(stem: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    print_warnings(replace(stem, warnings=("arm stem=[b] will fail",)))
    assert capsys.readouterr() == ("", "warning: arm stem=[b] will fail\n")


def test_json_is_the_list_of_trials(stem: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["plan", "stem", "--json", "--device", "cpu"]) == 0
    rows = json.loads(capsys.readouterr().out)
    keys = ["trial", "workload", "block", "arms", "wave", "runs", "estimated_seconds"]
    assert all(list(row) == keys for row in rows)
    assert len(rows) == len(trial_rows(stem))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "0 s"), (99.4, "99 s"), (100, "2 min"), (3600, "60 min"), (9000, "2.5 h")]
)
def test_a_forecast_is_as_exact_as_it_deserves(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("options", [["--json"], []])
def test_planted_faults_are_foretold(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    assert _main(["plan", str(PLANTED), *options]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("warning: arm fault=raise will fail in memory, throughput, convergence: ")
    assert "warning" not in captured.out

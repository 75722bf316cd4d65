"""A budget of a few seconds, kept by real processes that sleep; what is left can be gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from results.records.directory import read_plans, read_records, read_stops
from runners.budget import Budget, age_seconds, report_seconds
from runners.plan import Plan
from tests.runners.scripted_runs import plan_of, run, write_study

ROOT = Path(__file__).parents[2]
WAITED_SECONDS = 120.0
SLACK_SECONDS = 2.0
"""For starting and ending processes on a busy machine."""


def sleeping(folder: Path, seconds: float, blocks: int = 12) -> Plan:
    """Trials of two arms that sleep; forecast as 0.1 s each."""
    return plan_of(write_study(folder, ["well", "print"], blocks=blocks, seconds=seconds))


@pytest.fixture(scope="module", autouse=True)
def _server_is_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What trials are forked from has imported PyTorch, as it has when a command has planned."""
    folder = tmp_path_factory.mktemp("first")
    run(sleeping(folder, 0.0, blocks=1), folder / "run")


def spent(planned: Plan, out: Path, budget: Budget) -> float:
    start = time.monotonic()
    run(planned, out, budget=budget)
    return time.monotonic() - start


def within(seconds: float) -> Budget:
    """As of a process that begins now, with so much time beside that for the report."""
    return Budget(seconds + report_seconds(2, 24, 1.0), time.monotonic())


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "records").iterdir()}


def test_it_is_kept_and_what_is_left_is_run_by_the_same_command_without_one(tmp_path: Path) -> None:
    planned, out = sleeping(tmp_path, 0.5), tmp_path / "run"
    budget = within(3.0)
    assert spent(planned, out, budget) <= budget.seconds, "24 trials of half a second take 6 s and more"
    first = files(out)
    assert 2 <= len(first) < 24
    (stop,) = read_stops(out).values()
    assert stop.budget_seconds == budget.seconds
    assert stop.seconds_left == pytest.approx((24 - len(first)) * 0.5 / 2, rel=1)
    (ids,) = read_plans(out).values()
    assert len(ids) == 24, "the whole plan, not what there was time for"

    run(planned, out)
    assert first.items() <= files(out).items(), "a record was lost or written again"
    assert {record.trial for record in read_records(out)[0]} == set(ids)
    assert read_stops(out) == {}


def test_a_longer_one_keeps_what_a_shorter_one_had(tmp_path: Path) -> None:
    planned, out = sleeping(tmp_path, 0.3), tmp_path / "run"
    kept: dict[str, bytes] = {}
    for seconds in (1.5, 3.0):
        run(planned, out, budget=within(seconds))
        assert kept.items() < files(out).items()
        kept = files(out)


def test_trials_that_turn_out_too_long_are_ended_with_it_and_leave_no_record(tmp_path: Path) -> None:
    planned, out = sleeping(tmp_path, 60.0, blocks=2), tmp_path / "run"
    budget = within(2.0)
    assert spent(planned, out, budget) < 2.0 + SLACK_SECONDS, "each is forecast to take 0.1 s"
    assert files(out) == {}
    assert len(read_stops(out)) == 1
    assert not any("scripted" in " ".join(child.cmdline()) for child in psutil.Process().children())


def test_once_it_is_known_how_long_they_take_none_is_begun_that_ends_too_late(tmp_path: Path) -> None:
    planned, out = sleeping(tmp_path, 1.5), tmp_path / "run"
    run(planned, out, budget=within(8.0))
    seen = files(out)
    assert len(seen) >= 4
    # What is on record says how long they take: within a second not one is begun, let alone ended.
    start = time.monotonic()
    run(planned, out, budget=within(1.0))
    assert time.monotonic() - start < 0.9
    assert files(out) == seen


def test_a_budget_that_is_spent_before_the_first_trial_leaves_a_plan_and_says_so(tmp_path: Path) -> None:
    planned, out = sleeping(tmp_path, 0.0), tmp_path / "run"
    assert spent(planned, out, Budget(5.0, time.monotonic() - 10.0)) < SLACK_SECONDS
    assert files(out) == {}
    (stop,) = read_stops(out).values()
    assert stop.budget_seconds == 5.0


def test_a_budget_that_is_more_than_enough_leaves_nothing_to_say(tmp_path: Path) -> None:
    planned, out = sleeping(tmp_path, 0.0, blocks=2), tmp_path / "run"
    run(planned, out, budget=within(60.0))
    assert len(files(out)) == 4
    assert read_stops(out) == {}


def test_the_age_of_a_process_counts_from_its_start_and_having_had_to_wait_is_a_slower_pace() -> None:
    told = [
        subprocess.run(
            [
                *(sys.executable, "-c"),
                f"import time; time.sleep({seconds})\n"
                "from runners.budget import age_seconds, pace_here; print(age_seconds(), pace_here())",
            ],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=WAITED_SECONDS,
        ).stdout.split()
        for seconds in (0.0, 6.0)
    ]
    (age, pace), (older, slower) = [(float(one), float(other)) for one, other in told]
    assert age < older
    assert 6.0 < older < 60.0
    assert 1.0 <= pace <= slower <= 6.0
    assert slower > 3.0
    assert age_seconds() == pytest.approx(time.time() - psutil.Process().create_time(), abs=2)


def command(study: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "runners", "run", str(study), "--out", str(out), *options]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_and_a_kill_under_a_budget_are_as_ever(
    tmp_path: Path, interruptible: None, number: signal.Signals
) -> None:
    study, out = write_study(tmp_path, ["well", "print"], blocks=20, seconds=0.5), tmp_path / "run"
    process = subprocess.Popen(
        command(study, out, "--budget", "10m"),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + WAITED_SECONDS
    while len(list((out / "records").glob("*.json"))) < 6:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=WAITED_SECONDS)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert ("interrupted; the same command goes on" in said) == (number == signal.SIGINT)
    assert read_stops(out) == {}
    assert not (out / "report").exists()
    kept = files(out)
    run(plan_of(study), out)
    assert kept.items() < files(out).items()


@pytest.mark.slow
def test_the_whole_command_ends_within_a_tenth_of_it_and_says_what_is_left(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, ["well", "print"], blocks=400, seconds=0.5), tmp_path / "run"
    start = time.monotonic()
    done = subprocess.run(
        command(study, out, "--budget", "40s"),
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAITED_SECONDS,
    )
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    assert 28 <= seconds <= 44, "a report on a busy machine has more time set aside than it may need"
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("The budget ended the run.")]
    trials = len(next(iter(read_plans(out).values())))
    assert f"After 40 s, {trials - len(files(out))} of {trials} trials are left." in line
    assert "the same command goes on" in line
    report = (out / "report" / "details.md").read_text()
    assert "The budget ended the run." in report
    shown = subprocess.run(
        [sys.executable, "-m", "runners", "plan", str(study), "--budget", "40s", "--json"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=WAITED_SECONDS,
    ).stdout
    rows = json.loads(shown)
    assert len(rows) == trials
    foreseen = [row["in_budget"] for row in rows]
    assert foreseen == sorted(foreseen, reverse=True), "those within the budget first, in its order"

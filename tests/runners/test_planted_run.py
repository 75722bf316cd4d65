"""A real run over planted effects and faults: what must be found is found, and nothing else is harmed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

import results
from results.records.directory import read_records

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "tests" / "data" / "planted.toml"


def command(out: Path) -> list[str]:
    return [sys.executable, "-m", "runners", "run", str(STUDY), "--out", str(out)]


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, "subprocess.CompletedProcess[str]", set[str]]:
    """A run that was killed in the middle with its whole family left to itself, then run again."""
    out = tmp_path_factory.mktemp("planted") / "run"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(
        command(out), cwd=out.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while len(list((out / "records").glob("*.json"))) < 14:  # in the middle of the timed trials
        assert first.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = {path.name: path.stat().st_mtime_ns for path in (out / "records").glob("*.json")}
    second = subprocess.run(
        command(out),
        cwd=out.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    after = {path.name: path.stat().st_mtime_ns for path in (out / "records").glob("*.json")}
    assert before.items() <= after.items(), "a finished trial was written again"
    return out, second, set(before)


Finished = tuple[Path, "subprocess.CompletedProcess[str]", set[str]]


def effect(
    run: results.Run, workload: str, metric: str, level: str, mode: str | None = "train"
) -> dict[str, Any]:
    frame = run.effects()
    chosen = frame[(frame.workload == workload) & (frame.metric == metric) & (frame.level == level)]
    if mode is not None:
        chosen = chosen[chosen["mode"] == mode]
    assert len(chosen) == 1, chosen
    return dict(zip(chosen.columns, chosen.iloc[0].tolist(), strict=True))


def test_after_a_kill_no_finished_trial_runs_again_and_the_report_is_complete(finished: Finished) -> None:
    out, _, before = finished
    records = list(read_records(out)[0])
    assert len(before) >= 14
    assert {record.attempt for record in records} == {1}
    assert len({record.trial for record in records}) == len(records)
    planned = subprocess.run(
        [sys.executable, "-m", "runners", "plan", str(STUDY), "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    trials = {trial["trial"]: trial for trial in json.loads(planned.stdout)}
    assert {record.trial for record in records} <= trials.keys()
    given_up = [trials[trial] for trial in trials.keys() - {record.trial for record in records}]
    # Once it had failed in two seeds, or in as many as were under way then.
    assert {(one["workload"], *one["arms"]) for one in given_up} == {("convergence", "fault=raise")}
    assert len(given_up) >= 3
    assert results.load(out).analysis.missing.empty


def test_faults_are_rows_with_status_and_reason_and_the_exit_code_says_so(finished: Finished) -> None:
    out, process, _ = finished
    assert process.returncode == 1, process.stderr
    trials = pd.read_csv(out / "report" / "tables" / "trials.csv")
    raised = trials[trials.arm == "fault=raise"]
    assert set(raised.status) == {"failed"}
    assert raised.reason.str.contains("planted: this arm always raises").all()
    diverged = trials[(trials.arm == "fault=diverge") & (trials.workload == "convergence")]
    assert set(diverged.status) == {"diverged"}
    assert diverged.reason.str.startswith("the training loss was nan at step 1 of").all()
    others = trials[~trials.arm.isin(["fault=raise", "fault=diverge"])]
    assert set(others.status) == {"ok"}
    page = (out / "report" / "index.html").read_text()
    assert "planted: this arm always raises" in page
    assert "failed: fault=raise in throughput (6 trials)" in process.stdout


def test_twice_the_multiply_accumulates_come_out_worse_in_throughput(finished: Finished) -> None:
    row = effect(results.load(finished[0]), "throughput", "step_seconds", "double", "inference")
    assert row["verdict"] == "worse"
    assert row["n"] == 6
    assert row["ci_low"] > 1.2
    observed = effect(results.load(finished[0]), "complexity-32px", "macs", "double", None)
    assert observed["verdict"] == "worse"
    assert observed["effect"] == pytest.approx(2, abs=0.05)


def test_an_arm_that_cannot_learn_comes_out_worse_in_accuracy(finished: Finished) -> None:
    row = effect(results.load(finished[0]), "convergence", "test_accuracy", "cannot_learn")
    assert row["verdict"] == "worse"
    assert row["ci_high"] < 0


def test_twice_the_work_for_the_same_function_learns_the_same_to_the_bit(finished: Finished) -> None:
    measurements = results.load(finished[0]).measurements
    accuracy = measurements[measurements.metric == "test_accuracy"].pivot_table(
        index="block", columns="arm", values="value"
    )
    assert (accuracy["work=double"] == accuracy["baseline"]).all()
    assert not (accuracy["(control)"] == accuracy["baseline"]).all()


def test_the_duplicate_comes_out_as_no_difference_in_a_row_of_its_own(finished: Finished) -> None:
    frame = results.load(finished[0]).effects(control=True)
    control = frame[frame.factor == "(control)"]
    assert set(control.workload) == {"throughput", "convergence"}
    assert set(control.level) == {"duplicate"}
    assert set(control.verdict) <= {"equivalent", "inconclusive"}


def test_timed_trials_had_the_machine_to_themselves(finished: Finished) -> None:
    """No other record of the run was begun and ended while a timed one lasted."""
    records = sorted(read_records(finished[0])[0], key=lambda record: record.started_at)
    spans = [
        (
            record.workload,
            pd.Timestamp(record.started_at),
            pd.Timestamp(record.started_at) + pd.Timedelta(seconds=record.seconds),
        )
        for record in records
    ]
    for workload, start, end in spans:
        if workload != "throughput":
            continue
        for other, other_start, other_end in spans:
            if (other, other_start) != (workload, start):
                # Start times are whole seconds.
                overlap = min(end, other_end) - max(start, other_start)
                assert overlap <= pd.Timedelta(seconds=1.5), (workload, start, other, other_start)


def test_a_plan_with_more_seeds_keeps_the_trials_it_has(finished: Finished) -> None:
    def trials(*options: str) -> set[str]:
        from runners import study
        from runners.plan import plan

        overrides = study.Overrides(replicates=int(options[0])) if options else None
        return {trial.id for trial in plan(study.load(str(STUDY), overrides)).trials}

    assert trials() < trials("9")


def test_an_interrupted_run_ends_at_once_says_how_to_go_on_and_leaves_no_process(
    tmp_path: Path, interruptible: None
) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(
        command(out),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list((out / "records").glob("*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: every process of the terminal gets it
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaint.splitlines()[-1] == (
        "ablate: interrupted; the same command goes on where this one stopped"
    )
    others = [line for line in complaint.splitlines() if "other processes use" not in line]
    assert len(others) == 2, "beside the warning of the arm that is sure to fail"
    time.sleep(2)
    family = [p for p in psutil.process_iter() if _session(p) == process.pid and p.status() != "zombie"]
    assert family == []


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None

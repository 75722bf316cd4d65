"""A run's own work grows with its trials and no faster: counted, not timed."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import results
from results.records import parts
from results.records.directory import read_records, write_record
from results.records.record import Record
from runners import launchers, study
from runners.launchers import Task
from runners.plan import Plan, plan
from runners.run import Options, execute
from tests.calibration.scale import LAUNCHER, stubs, write_study

ARMS = 3
RUNS = ("results", "runners")


@pytest.fixture(autouse=True)
def _in_process() -> None:
    launchers.REGISTRY.register(LAUNCHER, Path(__file__))


def planned_of(folder: Path, blocks: int) -> Plan:
    folder.mkdir(parents=True)
    return stubs(plan(study.load(str(write_study(folder, ARMS, blocks)))))


def run(planned: Plan, out: Path) -> None:
    def display(tasks: list[Task], count: int) -> Any:
        return nullcontext(lambda event: None)

    execute(planned, Options(out, "cpu", 1, launcher=LAUNCHER.name), display)


def lines_run(work: Callable[[], object]) -> int:
    """Lines of this project that are executed, each turn of a loop counted."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if frame.f_globals.get("__name__", "").partition(".")[0] not in RUNS:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_twice_the_trials_are_twice_the_work(tmp_path: Path) -> None:
    """What is added by the last fifty blocks is twice what was added by the 25 before, within a tenth."""
    counts = {}
    planned_of(tmp_path / "first", 1)  # what is imported and looked up once
    for blocks in (25, 50, 100):
        folder = tmp_path / str(blocks)
        planned: list[Plan] = []
        counts[blocks] = {
            "plan": lines_run(lambda: planned.append(planned_of(folder, blocks))),  # noqa: B023 - called at once
            "run": lines_run(lambda: run(planned[0], folder / "run")),  # noqa: B023
            "resume": lines_run(lambda: run(planned[0], folder / "run")),  # noqa: B023
            "load": lines_run(lambda: results.load(folder / "run")),  # noqa: B023
        }
    for part in counts[25]:
        few, more, most = (counts[blocks][part] for blocks in (25, 50, 100))
        assert most - more == pytest.approx(2 * (more - few), rel=0.1), part


def test_a_run_reads_each_record_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = planned_of(tmp_path / "study", 10)
    read: list[str] = []
    whole = parts.Entry.record

    def noted(self: parts.Entry) -> Record:
        read.append(self.name)
        return whole(self)

    monkeypatch.setattr(parts.Entry, "record", noted)
    for beyond in (10**6, 5):  # as files, then as parts
        out = tmp_path / str(beyond)
        monkeypatch.setattr(parts, "MOST_FILES", beyond)
        for turn in ("begun", "resumed"):
            read.clear()
            run(planned, out)
            packed = len(planned.trials) if parts.parts(out) and turn == "begun" else 0
            assert len(read) == len(planned.trials) + packed, "compacting looks at each once more"
    assert parts.files(tmp_path / "5") == []


def test_a_compacted_run_resumes_with_what_is_left_and_counts_attempts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned, out = planned_of(tmp_path / "study", 8), tmp_path / "run"
    half = replace(planned, trials=planned.trials[: len(planned.trials) // 2])
    monkeypatch.setattr(parts, "MOST_FILES", 0)
    run(half, out)
    (first,) = parts.parts(out)
    run(planned, out)
    assert parts.files(out) == []
    assert first in parts.parts(out)
    records, left_out = read_records(out)
    assert left_out == []
    assert {record.trial for record in records} == {trial.id for trial in planned.trials}
    assert {record.attempt for record in records} == {1}

    # What was killed is run again, as one attempt more than there are.
    monkeypatch.setattr(parts, "MOST_FILES", 10**6)
    one = records[0]
    killed = replace(one, attempt=2, outcomes=tuple(replace(o, status="killed") for o in one.outcomes))
    write_record(out, killed)
    run(planned, out)
    mine = sorted(r.attempt for r in read_records(out)[0] if r.trial == one.trial)
    assert mine == [1, 2, 3]

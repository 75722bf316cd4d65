"""What a run says while it lasts."""

import io
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from results.records.record import Outcome, Record, Status
from runners import study
from runners.launchers import Event, Task
from runners.plan import plan
from runners.terminal import progress
from runners.terminal.progress import Display
from runners.trial import Trial


@pytest.fixture(scope="module", name="trials")
def _trials() -> Sequence[Trial]:
    return plan(study.load("stem"), cores=2).trials[:3]


def ended(trial: Trial, status: Status = "ok") -> Event:
    outcomes = tuple(
        Outcome(arm.name, arm.variant, {}, status=status, reason=None if status == "ok" else "planted [b]")
        for arm in trial.arms
    )
    return Event(
        Record(trial.id, trial.workload.name, trial.block, "here", 1, "2026-01-01", 1.0, outcomes), ()
    )


def said(
    trials: Sequence[Trial],
    *events: Event,
    quiet: bool = False,
    terminal: bool = False,
    seconds: float | None = None,
) -> str:
    stream = io.StringIO()
    screen = Console(file=stream, width=160, force_terminal=terminal)
    tasks = [Task(trial, 1) for trial in trials]
    end = None if seconds is None else time.monotonic() + seconds
    with Display(screen, tasks, len(trials), 1, quiet=quiet, end=end) as display:
        for event in events:
            display(event)
    return stream.getvalue()


def test_the_last_line_where_there_is_no_terminal_says_that_all_has_ended(trials: Sequence[Trial]) -> None:
    assert said(trials, *map(ended, trials)).splitlines()[-1].endswith("3/3 trials, about 0 s left")


def test_a_line_now_and_then_says_what_runs(trials: Sequence[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    (line,) = said(trials, replace(ended(trials[0]), running=(trials[1],))).splitlines()
    arm = trials[1].arms[0].name
    assert f"1/3 trials  {trials[1].workload.name} {trials[1].block} ({arm}), about " in line


def test_what_joins_or_drops_out_counts(trials: Sequence[Trial]) -> None:
    events = [Event(None, added=(trials[2],)), Event(None, dropped=(trials[0],)), *map(ended, trials[1:])]
    assert "2/2 trials" in said(trials[:2], *events)


def test_a_failure_is_told_when_it_happens_and_quiet_tells_nothing_else(trials: Sequence[Trial]) -> None:
    events = [ended(trials[0], "failed"), ended(trials[1], "not_applicable"), ended(trials[2])]
    where = f"{trials[0].workload.name} {trials[0].block}"
    failure = f"failed: {trials[0].arms[0].name} in {where}: planted [b]"
    assert said(trials, *events).splitlines()[0] == failure
    assert said(trials, *events, quiet=True) == f"{failure}\n"
    assert said(trials, *events, quiet=True, terminal=True) == f"{failure}\n"


def test_a_terminal_has_a_bar(trials: Sequence[Trial]) -> None:
    assert "100 %" in said(trials, *map(ended, trials), terminal=True)


def test_a_budget_is_the_end_of_what_is_left_and_of_the_bar(
    trials: Sequence[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    long = [replace(trial, estimated_seconds=600.0) for trial in trials]
    (before,) = said(long, Event(None, running=(long[0],)), seconds=100.0).splitlines()
    assert before.endswith(("about 100 s left", "about 99 s left")), "before anything has ended, too"
    (after,) = said(long, ended(long[0]), seconds=100.0).splitlines()
    assert after.endswith(("about 100 s left", "about 99 s left"))
    (enough,) = said(long, ended(long[0]), seconds=1e6).splitlines()
    assert "about 100 s left" not in enough
    assert "100 %" in said(long, Event(None), terminal=True, seconds=0.0)
    assert "  0 %" in said(long, Event(None), terminal=True, seconds=1e6)

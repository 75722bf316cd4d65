"""What a budget hands out while a run goes on, and what forecasts learn from it."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from results.records.record import Measurement, Outcome, Record, Status
from runners import study
from runners.budget import Budget
from runners.forecast import START_SECONDS, Forecast
from runners.launchers import Event, Task
from runners.plan import Plan, plan
from runners.ration import Ration
from runners.stages import wanted
from runners.trial import Trial

STUDY = """
architecture = "resnet"
[factors]
norm = ["batch", "none"]
[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 4 }
image_size = 32
processes = 10
half_width = 0.02
max_processes = 16
[[workloads]]
kind = "convergence"
levels = { depth = 18, width = 4 }
seeds = 8
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("ration") / "adaptive.toml"
    path.write_text(STUDY)
    found = plan(study.load(str(path)), cores=2)
    return replace(found, trials=tuple(t for t in found.trials if t.workload.kind != "complexity"))


def ended(trial: Trial, seconds: float, *, status: Status = "ok", minute: int = 0) -> Record:
    """A trial as it would end, its figures scattered a little by arm and block."""
    started = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()
    outcomes = tuple(
        Outcome(arm.name, arm.variant, {}, status, measurements=tuple(figures(trial, place)))
        for place, arm in enumerate(trial.arms)
    )
    return Record(trial.id, trial.workload.name, trial.block, "here", 1, started, seconds, outcomes)


def figures(trial: Trial, place: int) -> Iterator[Measurement]:
    wobble = 0.001 * math.sin(7 * trial.index + place)
    if trial.timed:
        for mode in trial.workload.settings["modes"]:
            yield Measurement("step_seconds", (math.exp(wobble),), "measured", "cpu", mode=mode)
    else:
        yield Measurement("test_accuracy", (0.9 + wobble,), "measured", "cpu", split="test")


def tasks_of(planned: Plan, records: list[Record]) -> list[Task]:
    done = {record.trial for record in records}
    return [Task(trial, 1) for trial in wanted(planned, records, "here") if trial.id not in done]


def test_the_next_blocks_of_a_workload_that_decides_as_it_goes_are_asked_for_in_time(planned: Plan) -> None:
    """Its first four processes say how many there will be; what is trained can wait until that is known."""
    records: list[Record] = []
    order: list[Trial] = []
    budget = Budget(1e6, time.monotonic())
    for _ in range(100):
        tasks = tasks_of(planned, records)
        if not tasks:
            break
        ration = Ration(planned, records, tasks, 1, budget)
        told = ration.noting(lambda event: None)
        for task in ration.chosen(tasks):
            order.append(task.trial)
            records.append(ended(task.trial, 1.0 if task.trial.timed else 100.0))
            told(Event(records[-1]))
    kinds = [trial.workload.kind for trial in order]
    assert kinds[:6] == ["throughput"] * 6, "all that a verdict takes, though four were known at first"
    assert Counter(kinds) == {"throughput": 10, "convergence": 8 * 3}


def test_a_trial_that_was_dropped_or_has_ended_is_under_way_no_more(planned: Plan) -> None:
    tasks = tasks_of(planned, [])
    ration = Ration(planned, [], tasks, 2, Budget(1e6, time.monotonic()))
    events: list[Event] = []
    told = ration.noting(events.append)
    handed = ration.chosen(tasks)
    first, second = next(handed).trial, next(handed).trial
    assert ration.under_way == {first.id, second.id}
    told(Event(ended(first, 1.0)))
    told(Event(None, dropped=(second,)))
    assert ration.under_way == frozenset()
    assert len(events) == 2
    assert ration.goes_on()
    assert not ration.goes_on(), "nothing was handed out since"


def test_nothing_is_handed_out_that_would_not_end_before_the_report_has_to_begin(planned: Plan) -> None:
    tasks = tasks_of(planned, [])
    assert not list(Ration(planned, [], tasks, 1, Budget(0.5, time.monotonic())).chosen(tasks))
    begun = time.monotonic()
    ration = Ration(planned, [], tasks, 1, Budget(60.0, begun))
    assert begun + 30 < ration.until < begun + 60


def test_forecasts_are_the_suites_own_until_trials_have_ended_and_then_those_of_the_last_ones(
    planned: Plan,
) -> None:
    training = [
        t for t in planned.trials if t.workload.kind == "convergence" and t.arms[0].name == "baseline"
    ]
    other = next(t for t in planned.trials if t.arms[0].name == "norm=none" and not t.timed)
    usual = training[0].estimated_seconds
    assert Forecast().seconds(training[0]) == pytest.approx(usual + START_SECONDS)
    slow = [ended(trial, 3 * usual, minute=trial.index) for trial in training[:5]]
    learnt = Forecast(planned.trials, slow)
    assert learnt.seconds(training[7]) == pytest.approx(3 * usual + START_SECONDS)
    assert learnt.seconds(other) == pytest.approx(3 * other.estimated_seconds + START_SECONDS)
    timed = next(t for t in planned.trials if t.timed)
    assert learnt.seconds(timed) == pytest.approx(timed.estimated_seconds + START_SECONDS)
    learnt.learn(other, ended(other, 9 * other.estimated_seconds))
    assert learnt.seconds(other) == pytest.approx(5 * other.estimated_seconds + START_SECONDS), "half way"
    one = Forecast(planned.trials, slow[:1])
    assert one.seconds(training[7]) == pytest.approx(2 * usual + START_SECONDS), "one does not speak for all"


def test_what_failed_or_went_on_from_a_checkpoint_says_nothing_of_how_long_it_takes(planned: Plan) -> None:
    training = [t for t in planned.trials if t.workload.kind == "convergence"][:3]
    failed, killed = ended(training[0], 0.01, status="failed"), ended(training[1], 0.01, status="killed")
    went_on = replace(ended(training[2], 0.01), details={"resumed_at_step": [40]})
    stranger = replace(ended(training[0], 900.0), trial="of-another-version")
    learnt = Forecast(planned.trials, [failed, killed, went_on, stranger])
    assert learnt.seconds(training[0]) == Forecast().seconds(training[0])


def test_what_is_left_takes_as_long_as_its_trials_packed_on_the_jobs(planned: Plan) -> None:
    tasks = tasks_of(planned, [])
    ration = Ration(planned, [], tasks, 2, Budget(60.0, time.monotonic()))
    trained = [task for task in tasks if not task.trial.timed]
    by_hand = sum(task.trial.estimated_seconds + START_SECONDS for task in trained) / 2
    assert ration.seconds(trained) == pytest.approx(by_hand)

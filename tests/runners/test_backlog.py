"""What is left of a plan: a pure function of what is on record and of the names of files."""

import itertools
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.records.record import FINAL_STATUSES, Outcome, Record, Status
from runners import study
from runners.backlog import attempts, remaining
from runners.plan import plan
from runners.trial import Trial
from tests.runners.scripted_runs import plan_of, write_study


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trial, ...]:
    return plan_of(write_study(tmp_path_factory.mktemp("plan"), ["well", "fail"], blocks=4)).trials


def record(trial: Trial, status: Status, attempt: int, environment: str) -> Record:
    outcomes = tuple(Outcome(arm.name, arm.variant, {}, status=status) for arm in trial.arms)
    return Record(
        trial.id, trial.workload.name, trial.block, environment, attempt, "2026-01-01", 1.0, outcomes
    )


@given(data=st.data())
def test_resuming_runs_what_has_no_final_record_here_in_the_plans_order(
    trials: tuple[Trial, ...], data: st.DataObject
) -> None:
    statuses: st.SearchStrategy[Status] = st.sampled_from(get_args(Status))
    histories: dict[str, list[Status]] = {
        trial.id: data.draw(st.lists(statuses, max_size=2)) for trial in trials[:6]
    }
    environment = data.draw(st.sampled_from(["here", "elsewhere"]))
    records = [
        record(trial, status, attempt, environment)
        for trial in trials[:6]
        for attempt, status in enumerate(histories[trial.id], start=1)
    ]
    # Files that cannot be read are attempts too, before, after and among those that can.
    damaged = data.draw(st.dictionaries(st.sampled_from([trial.id for trial in trials]), st.integers(1, 4)))
    counts = {
        trial: len(history) for trial, history in histories.items() if environment == "here" and history
    }
    last = {trial: max(counts.get(trial, 0), damaged.get(trial, 0)) for trial in {*counts, *damaged}}
    retry = data.draw(st.booleans())
    tasks = remaining(trials, data.draw(st.permutations(records)), "here", retry, last)
    left = [task.trial.id for task in tasks]
    assert left == [trial.id for trial in trials if trial.id in set(left)]
    for trial in trials:
        history = histories.get(trial.id, []) if environment == "here" else []
        done = bool(history) and (history[-1] in FINAL_STATUSES or (history[-1] == "failed" and not retry))
        assert (trial.id in left) == (not done)
    for task in tasks:
        assert task.attempt == last.get(task.trial.id, 0) + 1


@pytest.mark.parametrize(
    ("statuses", "over", "over_with_retry"),
    [
        (("ok", "ok"), True, True),
        (("ok", "failed"), True, False),
        (("ok", "killed"), True, False),  # the other's figures are there
        (("killed", "killed"), False, False),
        (("failed", "timed_out"), False, False),
        (("diverged", "out_of_memory"), True, True),
    ],
)
def test_a_trial_of_several_arms_is_over_once_one_of_them_has_figures(
    tmp_path: Path, statuses: tuple[Status, Status], over: bool, over_with_retry: bool
) -> None:
    path = tmp_path / "timed.toml"
    path.write_text(
        'architecture = "resnet"\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
        '[[workloads]]\nkind = "throughput"\nlevels = { depth = 18, width = 4 }\nimage_size = 32\n'
    )
    trial = next(trial for trial in plan(study.load(str(path))).trials if trial.timed)
    ended = zip(trial.arms, itertools.cycle(statuses), strict=False)
    outcomes = tuple(Outcome(arm.name, arm.variant, {}, status=status) for arm, status in ended)
    one = Record(trial.id, "throughput", trial.block, "here", 1, "2026-01-01", 1.0, outcomes)
    for retry, expected in ((False, over), (True, over_with_retry)):
        assert (remaining([trial], [one], "here", retry, {}) == []) == expected


def test_attempts_are_counted_by_the_names_of_files(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    for name in ("a-here-1", "a-here-10", "a-here-2", "b-here-1", "c-there-3", "a-b-here-4"):
        (tmp_path / "records" / f"{name}.json").write_text("no record at all")
    (tmp_path / "records" / "a-here-11.txt").write_text("")
    assert attempts(tmp_path, "here") == {"a": 10, "b": 1, "a-b": 4}
    assert attempts(tmp_path / "nowhere", "here") == {}

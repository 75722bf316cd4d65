"""From a study to trials, and what is left of them: pure functions, held to what they promise."""

import json
import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.records.record import FINAL_STATUSES, Outcome, Record, Status
from runners import study
from runners.errors import BadInput
from runners.launchers.local import Task, _may_start, _Running
from runners.outcomes import NotApplicable, make_variant
from runners.plan import Plan, plan
from runners.run import remaining
from runners.trial import Trial, trial_from_json

MEMORY = '\n[[workloads]]\nkind = "memory"\nlevels = { depth = 18, width = 4 }\nimage_size = 32\n'


def planned(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "study.toml"
    path.write_text(text)
    return plan(study.load(str(path)))


@pytest.mark.parametrize("name", sorted(study.builtin()))
def test_every_built_in_study_plans(name: str) -> None:
    found = plan(study.load(name), cores=2)
    assert found.study.question.endswith("?")
    assert len({trial.id for trial in found.trials}) == len(found.trials)
    for workload in found.study.workloads:
        arms = [{arm.name for arm in t.arms} for t in found.trials if t.workload == workload]
        assert set().union(*arms) == set(workload.variants)
        if workload.block_unit != "exact":
            assert workload.replicates >= 6, "no verdict below six blocks"


def test_a_factorial_design_has_every_combination_and_those_that_cannot_be_are_let_through(
    tmp_path: Path,
) -> None:
    text = 'architecture = "resnet"\ndesign = "full-factorial"\n[factors]\npool = ["max", "average"]\n'
    found = planned(tmp_path, text + "pool_dilation = [1, 2]\n" + MEMORY)
    assert [arm.name for arm in found.study.arms] == [
        "baseline",
        "(control)",
        "pool_dilation=2",
        "pool=average",
        "pool=average,pool_dilation=2",
    ]
    (impossible,) = {
        trial.arms[0]
        for trial in found.trials
        if trial.arms[0].name == "pool=average,pool_dilation=2" and trial.workload.kind == "memory"
    }
    with pytest.raises(NotApplicable, match="pool=average has no dilation"):
        make_variant(impossible)


def test_the_studys_baseline_is_the_first_level_not_the_architectures(tmp_path: Path) -> None:
    found = planned(tmp_path, 'architecture = "resnet"\n[factors]\nnorm = ["group", "batch"]\n' + MEMORY)
    memory = next(workload for workload in found.study.workloads if workload.kind == "memory")
    assert memory.variants["baseline"] == "resnet:depth=18,norm=group,width=4"
    assert memory.variants["norm=batch"] == "resnet:depth=18,width=4"


def test_complexity_is_observed_once_for_each_context(tmp_path: Path) -> None:
    text = 'architecture = "resnet"\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
    found = planned(tmp_path, text + MEMORY + MEMORY.replace("[[workloads]]", '[[workloads]]\nname = "two"'))
    assert [workload.name for workload in found.study.workloads] == ["complexity-32px", "memory", "two"]


def test_a_changed_level_margin_or_seed_changes_the_ids_that_it_concerns(tmp_path: Path) -> None:
    text = 'architecture = "resnet"\nseed = 1\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
    ids = {trial.id for trial in planned(tmp_path, text + MEMORY).trials}
    assert ids == {trial.id for trial in planned(tmp_path, text + MEMORY).trials}
    assert ids == {t.id for t in planned(tmp_path, text + "[margins]\npeak_bytes = 0.1\n" + MEMORY).trials}
    assert not ids & {t.id for t in planned(tmp_path, text.replace("seed = 1", "seed = 2") + MEMORY).trials}
    other = {trial.id for trial in planned(tmp_path, text + MEMORY.replace("width = 4", "width = 8")).trials}
    assert not ids & other


def test_a_trial_survives_the_way_to_its_process(tmp_path: Path) -> None:
    found = planned(tmp_path, 'architecture = "resnet"\n[factors]\nnorm = ["batch", "none"]\n' + MEMORY)
    for trial in found.trials:
        assert trial_from_json(json.loads(json.dumps(trial.to_json()))) == trial


def test_two_workloads_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two workloads are named 'memory'"):
        planned(tmp_path, 'architecture = "resnet"\n[factors]\nnorm = ["batch", "none"]\n' + MEMORY + MEMORY)


def test_a_factor_cannot_be_both_compared_and_fixed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'depth' is compared in \[factors\] already"):
        planned(tmp_path, 'architecture = "resnet"\n[factors]\ndepth = [18, 34]\n' + MEMORY)


@pytest.fixture(scope="module")
def quick() -> tuple[Trial, ...]:
    return plan(study.load("quick")).trials


def record(trial: Trial, status: Status, attempt: int, environment: str = "here") -> Record:
    outcomes = tuple(Outcome(arm.name, arm.variant, {}, status=status) for arm in trial.arms)
    return Record(
        trial.id, trial.workload.name, trial.block, environment, attempt, "2026-01-01", 1.0, outcomes
    )


@given(data=st.data())
def test_resuming_runs_what_has_no_final_record_here_in_the_plans_order(
    quick: tuple[Trial, ...], data: st.DataObject
) -> None:
    statuses: st.SearchStrategy[Status] = st.sampled_from(get_args(Status))
    histories: dict[str, list[Status]] = {
        trial.id: data.draw(st.lists(statuses, max_size=2)) for trial in quick[:8]
    }
    elsewhere = data.draw(st.booleans())
    records = [
        record(trial, status, attempt, "elsewhere" if elsewhere else "here")
        for trial in quick[:8]
        for attempt, status in enumerate(histories[trial.id], start=1)
    ]
    retry = data.draw(st.booleans())
    tasks = remaining(quick, data.draw(st.permutations(records)), "here", retry)
    left = [task.trial.id for task in tasks]
    assert left == [trial.id for trial in quick if trial.id in set(left)]
    for trial in quick:
        history = [] if elsewhere else histories.get(trial.id, [])
        done = bool(history) and (history[-1] in FINAL_STATUSES or (history[-1] == "failed" and not retry))
        assert (trial.id in left) == (not done)
    for task in tasks:
        assert task.attempt == (1 if elsewhere else len(histories.get(task.trial.id, ())) + 1)


def running(trial: Trial) -> _Running:
    return _Running(Task(trial, 1), multiprocessing.Process(), datetime.now(UTC), 0.0)


def test_a_timed_trial_starts_alone_and_keeps_others_waiting(quick: tuple[Trial, ...]) -> None:
    timed = next(trial for trial in quick if trial.timed)
    others = [trial for trial in quick if not trial.timed and trial.wave == 0]
    assert _may_start(timed, [], jobs=4)
    assert not _may_start(timed, [running(others[0])], jobs=4)
    assert not _may_start(replace(others[0], wave=timed.wave), [running(timed)], jobs=4)
    assert _may_start(others[1], [running(others[0])], jobs=2)
    assert not _may_start(others[1], [running(others[0])], jobs=1)
    assert not _may_start(replace(others[1], wave=2), [running(others[0])], jobs=4)

"""The order under a budget: whatever trials cost, exact ones first, then whole contrasts, never too late."""

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.records.resolved_study import Workload
from runners import study
from runners.outlook import Foreseen, contrasts, foreseen
from runners.plan import Plan, plan
from runners.priorities import Machine, Standing, ranked
from runners.trial import Trial

STUDY = """
architecture = "resnet"
[factors]
stem = ["shallow", "deep64"]
relu = ["inplace", "out_of_place"]
norm = ["batch", "group", "none"]
[[workloads]]
kind = "memory"
levels = { depth = 18, width = 4 }
image_size = 32
[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 4 }
image_size = 32
processes = 9
[[workloads]]
kind = "convergence"
levels = { depth = 18, width = 4 }
seeds = 8
baseline_seeds = 12
"""
COSTS = st.floats(0.5, 20)
EVERY_SECOND = 1e9


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("priorities") / "short.toml"
    path.write_text(STUDY)
    return plan(study.load(str(path)), cores=2)


def machine(planned: Plan, data: st.DataObject, jobs: int) -> Machine:
    """One on which each workload and arm takes what it takes, whatever the forecast says."""
    keys = sorted({(t.workload.name, t.arms[0].name) for t in planned.trials})
    costs = dict(zip(keys, data.draw(st.lists(COSTS, min_size=len(keys), max_size=len(keys))), strict=True))
    return Machine(lambda trial: costs[trial.workload.name, trial.arms[0].name], jobs)


def is_exact(trial: Trial) -> bool:
    return trial.block == "exact"


def beside(one: Foreseen, other: Foreseen) -> bool:
    return one is not other and one.start < other.end - 1e-9 and other.start < one.end - 1e-9


@settings(max_examples=60)
@given(data=st.data(), seconds=st.floats(0, 600), jobs=st.integers(1, 4))
def test_whatever_trials_cost_none_is_forecast_to_end_too_late_and_each_is_one_of_the_plans(
    planned: Plan, data: st.DataObject, seconds: float, jobs: int
) -> None:
    here = machine(planned, data, jobs)
    found = foreseen(planned.study, planned.trials, here, seconds)
    ids = [one.trial.id for one in found]
    assert len(set(ids)) == len(ids)
    assert set(ids) <= {trial.id for trial in planned.trials}
    assert all(one.end <= seconds + 1e-6 for one in found)
    for one in found:
        others = [other for other in found if beside(one, other)]
        assert not (one.trial.timed and others)
        at_start = [other for other in others if other.start <= one.start]
        assert len(at_start) < jobs
    left = [trial for trial in planned.trials if trial.id not in set(ids)]
    last = max((one.end for one in found), default=0.0)
    assert all(last + here.seconds(trial) > seconds for trial in left), "there was time for it"


@settings(max_examples=60)
@given(data=st.data(), room=st.floats(0, 600), jobs=st.integers(1, 4))
def test_exact_first_then_the_baseline_before_any_arm_and_whole_arms(
    planned: Plan, data: st.DataObject, room: float, jobs: int
) -> None:
    here = machine(planned, data, jobs)
    order = ranked(Standing(planned.study, planned.trials, room=room), here)
    assert Counter(trial.id for trial in order) == Counter(trial.id for trial in planned.trials)
    exact = [is_exact(trial) for trial in order]
    assert exact == sorted(exact, reverse=True)
    for name, trials in itertools.groupby(filter(is_exact, order), lambda trial: trial.workload.name):
        assert next(trials).arms[0].name == "baseline", name

    trained = [trial for trial in order if trial.workload.kind == "convergence"]
    if room < 600 and here.total(order) > room:
        begun = Counter[str]()
        for trial in trained:
            arm = trial.arms[0].name
            if arm not in {"baseline", "(control)"} and begun["baseline"]:
                assert begun["baseline"] >= 6, "an arm was begun that has nothing to be set against"
            begun[arm] += 1


@settings(max_examples=40)
@given(data=st.data(), seconds=st.floats(20, 900), jobs=st.integers(1, 3))
def test_no_arm_is_begun_that_could_not_come_to_six_while_another_one_could(
    planned: Plan, data: st.DataObject, seconds: float, jobs: int
) -> None:
    """By counting: an arm left below six has blocks only if every arm that fits had its six before."""
    here = machine(planned, data, jobs)
    found = foreseen(planned.study, planned.trials, here, seconds)
    trained = [one.trial for one in found if one.trial.workload.kind == "convergence"]
    counts = Counter(trial.arms[0].name for trial in trained)
    (workload,) = {trial.workload.name: trial.workload for trial in trained}.values() or [None]
    if workload is None:
        return
    begun = [arm for arm in counts if 0 < counts[arm] < enough(workload, arm)]
    order = [trial.arms[0].name for trial in trained]
    for arm in begun:
        after = order[order.index(arm) :]
        whole = [other for other in counts if counts[other] >= enough(workload, other)]
        for other in whole:
            need = enough(workload, other)
            places = [place for place, name in enumerate(order) if name == other]
            assert places[need - 1] < order.index(arm) or arm in {"baseline", "(control)"}, after


def enough(workload: Workload, arm: str) -> int:
    return min(6, workload.planned(arm))


def test_of_timed_arms_all_come_to_six_together_and_the_cheapest_contrast_goes_first(planned: Plan) -> None:
    cheap = {"throughput": 1.0, "convergence": 10.0}
    dear = {"throughput": 100.0, "convergence": 1.0}
    for costs, first in ((cheap, "throughput"), (dear, "convergence")):
        here = Machine(lambda trial, costs=costs: costs.get(trial.workload.kind, 0.1), 2)  # type: ignore[misc]
        order = [t for t in ranked(Standing(planned.study, planned.trials), here) if not is_exact(t)]
        assert order[0].workload.kind == first
        timed = [place for place, trial in enumerate(order) if trial.workload.kind == "throughput"]
        assert timed[:6] == list(range(timed[0], timed[0] + 6)), "six blocks in a row"


def test_a_placebo_takes_its_few_seeds_and_arms_follow_in_order_of_cost(planned: Plan) -> None:
    costs = {"norm=none": 1.0, "norm=group": 2.0, "stem=deep64": 3.0}
    here = Machine(lambda trial: costs.get(trial.arms[0].name, 1.0), 2)
    trained = [t for t in planned.trials if t.workload.kind == "convergence"]
    order = [trial.arms[0].name for trial in ranked(Standing(planned.study, trained), here)]
    expected = ["baseline", "(control)", "relu=out_of_place", "norm=none", "norm=group", "stem=deep64"]
    assert list(dict.fromkeys(order)) == expected
    assert [order.index(arm) for arm in expected] == [0, 6, 12, 14, 20, 26]


def test_an_arm_that_cannot_come_to_a_verdict_in_time_waits_until_nothing_else_is_left(planned: Plan) -> None:
    here = Machine(lambda trial: 10.0 if trial.arms[0].name == "stem=deep64" else 1.0, 1)
    trained = [t for t in planned.trials if t.workload.kind == "convergence"]
    needed = 6 + 6 + 2 + 6 + 6  # baseline, duplicate, placebo, two arms
    for room, place in ((needed + 59.0, len(trained) - 8), (needed + 61.0, needed)):
        order = [t.arms[0].name for t in ranked(Standing(planned.study, trained, room=room), here)]
        assert order.index("stem=deep64") == place, "six of it take 60 s"


def test_beyond_six_the_intervals_that_blocks_can_narrow_come_first(planned: Plan) -> None:
    trained = [t for t in planned.trials if t.workload.kind == "convergence" and t.index >= 6]
    name = trained[0].workload.name
    arms = ["norm=none", "norm=group", "stem=deep64"]
    have = {(name, arm): 6 for arm in ("baseline", "(control)", "relu=out_of_place", *arms)}
    # Six blocks and two more to come: a width of 1.1 takes 1.26 times as many, one of 3 nine times.
    widths = {(name, "norm=none"): 0.3, (name, "norm=group"): 1.1, (name, "stem=deep64"): 3.0}
    here = Machine(lambda trial: 1.0, 2)
    order = ranked(Standing(planned.study, trained, have, 100.0, widths), here)
    told = [trial.arms[0].name for trial in order if trial.arms[0].name in arms]
    assert told == [arm for arm in ("norm=group", "stem=deep64", "norm=none") for _ in range(2)]
    assert order[0].arms[0].name == "baseline", "all lean on it"


def test_what_is_on_record_is_not_counted_twice(planned: Plan) -> None:
    here = Machine(lambda trial: 1.0, 2)
    trained = [t for t in planned.trials if t.workload.kind == "convergence"]
    name = trained[0].workload.name
    some = [t for t in trained if not (t.arms[0].name == "baseline" and t.index < 5)]
    order = ranked(Standing(planned.study, some, {(name, "baseline"): 5}), here)
    assert [trial.arms[0].name for trial in order[:2]] == ["baseline", "(control)"]


def test_with_all_the_time_there_is_every_contrast_comes_to_a_verdict(planned: Plan) -> None:
    found = foreseen(planned.study, planned.trials, Machine(lambda trial: 1.0, 2), EVERY_SECOND)
    assert len(found) == len(planned.trials)
    done = contrasts(planned.study, [one.trial for one in found])
    assert all(decided == every for decided, every in done.values())
    none = contrasts(planned.study, [])
    assert {every for _, every in none.values()} == {4}
    assert {decided for decided, _ in none.values()} == {0}


def test_rates_are_tried_before_arms_train_at_their_own(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    path.write_text(
        'architecture = "resnet"\n[factors]\nnorm = ["batch", "none"]\n[[workloads]]\nkind = "convergence"\n'
        "levels = { depth = 18, width = 4 }\nseeds = 6\ntune = [0.3, 1]\n"
    )
    tuned = plan(study.load(str(path)))
    known = [t for t in tuned.trials if t.workload.belongs_to("tuned") is None]
    order = ranked(Standing(tuned.study, known), Machine(lambda trial: 1.0, 2))
    assert Counter(t.id for t in order) == Counter(t.id for t in known)
    tried = [place for place, t in enumerate(order) if t.workload.belongs_to("rate_search")]
    assert tried == list(range(tried[0], tried[0] + len(tried))), "all in a row: they decide together"


def test_accelerators_are_not_shared(planned: Plan) -> None:
    trials = [replace(t, device="cuda") for t in planned.trials if t.workload.kind == "convergence"]
    found = foreseen(planned.study, trials, Machine(lambda trial: 1.0, 2), 10.0)
    assert [one.start for one in found] == [float(second) for second in range(10)]

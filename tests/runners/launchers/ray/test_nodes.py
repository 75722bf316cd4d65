"""Where a trial may start, and which nodes are alike: pure functions."""

from dataclasses import replace
from typing import Any

import pytest

from runners import study
from runners.launchers.ray.nodes import Node, difference, place, settle
from runners.plan import plan
from runners.trial import Trial

ONE, OTHER, TWIN = (
    Node(name, name, host, 8.0) for name, host in [("one", "left"), ("other", "right"), ("twin", "left")]
)


@pytest.fixture(scope="module")
def trials() -> tuple[Trial, Trial]:
    """A timed one, and one that is not, of the same wave."""
    found = plan(study.load("quick")).trials
    timed = next(trial for trial in found if trial.timed)
    return timed, replace(next(trial for trial in found if not trial.timed), wave=timed.wave)


def test_a_timed_trial_has_its_host_to_itself_and_no_other_host(trials: tuple[Trial, Trial]) -> None:
    timed, plain = trials
    assert place(timed, [ONE, TWIN], [(ONE, plain)], jobs=4) is None, "nodes of one machine are one host"
    assert place(timed, [ONE, OTHER], [(ONE, plain)], jobs=4) == OTHER
    assert place(timed, [ONE, OTHER], [(ONE, timed)], jobs=4) == OTHER
    assert place(timed, [ONE, OTHER], [(ONE, timed), (OTHER, timed)], jobs=4) is None
    assert place(plain, [ONE, TWIN], [(ONE, timed)], jobs=4) is None


def test_trials_are_spread_and_jobs_are_counted_by_host(trials: tuple[Trial, Trial]) -> None:
    _, plain = trials
    assert place(plain, [ONE, OTHER], [(ONE, plain)], jobs=2) == OTHER
    assert place(plain, [ONE, OTHER], [(ONE, plain), (OTHER, plain)], jobs=1) is None
    assert place(plain, [ONE, TWIN], [(ONE, plain)], jobs=1) is None
    assert place(plain, [], [], jobs=1) is None


def test_an_accelerator_is_not_shared(trials: tuple[Trial, Trial]) -> None:
    on_device = replace(trials[1], device="cuda")
    assert place(on_device, [ONE], [(ONE, on_device)], jobs=4) is None
    assert place(on_device, [ONE, OTHER], [(ONE, on_device)], jobs=4) == OTHER


def test_a_wave_waits_for_the_one_before_on_every_host(trials: tuple[Trial, Trial]) -> None:
    _, plain = trials
    assert place(replace(plain, wave=plain.wave + 1), [ONE, OTHER], [(ONE, plain)], jobs=4) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([{"cores": 2}, {"cores": 8}, {"cores": 8}], {"cores": 2}),
        ([{"cores": 4}, {"cores": 8}, {"cores": 8}], {"cores": 8}),
        ([], {"cores": 2}),
    ],
)
def test_the_environment_is_this_machines_where_a_node_has_it_else_the_most_frequent(
    found: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    assert settle(found, {"cores": 2}) == expected


def test_what_differs_is_named() -> None:
    facts, expected = {"cores": 8, "cuda": "13", "cpu": "a"}, {"cores": 16, "cpu": "a", "torch": "2.9"}
    assert difference(facts, expected) == "cores (8, not 16), torch (None, not 2.9), cuda (13, not None)"

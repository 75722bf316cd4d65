"""Turns: who is timed when, what a fault costs, and what stays out of the timed region."""

import gc
import signal
import time
from collections.abc import Callable

import pytest

from runners.outcomes import TimedOut
from runners.probes.throughput.clock import Mark
from runners.probes.throughput.contest import Contestant, Ring, compete, rounds
from runners.probes.throughput.limits import limit
from runners.probes.throughput.machine import Machine
from runners.probes.throughput.settings import FEWEST_ROUNDS
from runners.probes.throughput.steady import WarmUp
from runners.probes.throughput.watch import Watch

ORDERS = [[0, 1, 2], [2, 1, 0]] * 4


def contestant(name: str, step: Callable[[Mark], None], seconds: float = 0.01) -> Contestant:
    return Contestant(name, step, WarmUp((seconds,), 4, steady=True), 1)


def held(contestants: list[Contestant], limit_seconds: float = 60.0) -> dict[str, BaseException]:
    failed: dict[str, BaseException] = {}
    watch = Watch(Machine("cpu", []))
    compete(Ring("cpu", limit_seconds), contestants, ORDERS, watch, failed.__setitem__)
    assert len(watch.states) >= 1, "the last rounds are watched too"
    return failed


def played_third(played: list[str]) -> int:
    """Where b has its third turn."""
    return [i for i, name in enumerate(played) if name == "b"][2]


def test_arms_take_their_turns_in_the_order_given_and_one_that_fails_is_out() -> None:
    turns: list[str] = []

    def well(name: str) -> Callable[[Mark], None]:
        def step(mark: Mark) -> None:
            turns.append(name)
            mark()

        return step

    def failing(mark: Mark) -> None:
        turns.append("b")
        if turns.count("b") == 5:
            raise RuntimeError("planted")
        mark()

    arms = [contestant("a", well("a")), contestant("b", failing), contestant("c", well("c"))]
    failed = held(arms)
    expected = [("abc"[i]) for order in ORDERS for i in order]
    third = [i for i, name in enumerate(expected) if name == "b"][2]
    played = [name for i, name in enumerate(expected) if name != "b" or i <= third]
    # A step that warms the caches, then the one that is timed; the third time, b fails in the former.
    assert turns == [
        name for i, name in enumerate(played) for _ in range(1 if i == played_third(played) else 2)
    ]
    assert [len(arm.turns) for arm in arms] == [8, 2, 8]
    assert str(failed["b"]) == "planted"
    assert set(failed) == {"b"}


def test_a_step_that_hangs_is_given_up_and_the_others_go_on() -> None:
    def hang(mark: Mark) -> None:
        time.sleep(30)

    arms = [contestant(name, lambda mark: mark()) for name in "ac"]
    arms.insert(1, contestant("b", hang))
    start = time.monotonic()
    failed = held(arms, limit_seconds=0.2)
    assert time.monotonic() - start < 10
    assert isinstance(failed["b"], TimedOut)
    assert [len(arm.turns) for arm in arms] == [8, 0, 8]


def test_a_limit_leaves_no_alarm_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with limit(5.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_no_garbage_is_collected_while_a_step_runs_and_all_of_it_is_afterwards() -> None:
    seen: list[bool] = []

    def step(mark: Mark) -> None:
        seen.append(gc.isenabled())
        mark()

    held([contestant(name, step) for name in "abc"])
    assert seen == [False] * len(seen)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(
    ("seconds", "arm_seconds", "most", "expected"),
    [
        ([0.01, 0.01], 1.0, 200, 100),
        ([0.01, 0.03], 1.0, 200, 50),  # arms have a second each in the mean
        ([0.01, 0.01], 1.0, 60, 60),
        ([2.0, 2.0], 1.0, 100, FEWEST_ROUNDS),
        ([0.011, 0.011], 1.0, 200, 92),  # 90.9, made even
        ([2.0], 1.0, 3, 3),
    ],
)
def test_rounds_give_each_arm_its_time(
    seconds: list[float], arm_seconds: float, most: int, expected: int
) -> None:
    arms = [contestant(str(i), lambda mark: mark(), one) for i, one in enumerate(seconds)]
    assert rounds(arms, arm_seconds=arm_seconds, most=most) == expected


def test_a_turn_is_as_short_as_the_ring_allows() -> None:
    def step(mark: Mark) -> None:
        time.sleep(0.002)
        mark()

    entered = Ring("cpu", 60.0, turn_seconds=0.02).enter("a", step)
    assert 5 <= entered.steps_per_turn <= 10, "a sleep is never shorter than asked for"
    assert Ring("cpu", 60.0).enter("a", step).steps_per_turn == 1

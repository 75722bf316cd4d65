"""When a warm-up is over: held to curves whose end is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.probes.throughput.steady import CHUNK_SECONDS, FEWEST, MOST, TOLERANCE, is_steady, warm_up


def scripted(samples: list[float]) -> tuple[list[int], Callable[[int], float]]:
    """A timer that plays samples, the last one for ever, and notes how many steps it was asked for."""
    asked: list[int] = []

    def timed(steps: int) -> float:
        asked.append(steps)
        return samples[min(len(asked), len(samples)) - 1]

    return asked, timed


@given(st.lists(st.floats(0.9e-3, 1.1e-3), min_size=FEWEST, max_size=30, unique=True))
def test_it_is_steady_where_the_later_half_is_no_faster(samples: list[float]) -> None:
    half = len(samples) // 2
    rising = sorted(samples)
    assert is_steady(rising)
    falling = sorted(samples, reverse=True)
    assert is_steady(falling) == (falling[-1] >= (1 - TOLERANCE) * falling[half - 1])


def test_steps_that_scatter_do_not_prolong_it_and_a_trend_among_them_does() -> None:
    generator = np.random.default_rng(0)
    flat: list[int] = []
    falling: list[int] = []
    for _ in range(100):
        noise = np.exp(generator.normal(0, 0.15, MOST))
        trend = 1 + 3 * np.exp(-np.arange(MOST) / 8)
        for curve, lengths in ((noise, flat), (noise * trend, falling)):
            asked, timed = scripted(curve.tolist())
            warm_up(timed, seconds=1e9)
            lengths.append(len(asked))
    assert np.median(flat) <= 8
    assert np.quantile(flat, 0.9) <= 16
    # After 16 steps of this trend a step is still 40 % too slow, after 24 15 %.
    assert np.median(falling) >= 24


def test_fewer_samples_than_a_test_needs_are_not_steady() -> None:
    assert not is_steady([1.0] * (FEWEST - 1))


@pytest.mark.parametrize("tau", [0.5, 2.0, 8.0])
def test_an_exponential_warm_up_is_waited_for(tau: float) -> None:
    # step(i) = 1 + 3 exp(-i / tau): the first half's best is near the end value only well after tau.
    curve = [1 + 3 * math.exp(-i / tau) for i in range(MOST)]
    asked, timed = scripted(curve)
    found = warm_up(timed, seconds=1e9)
    assert found.steady
    last = len(asked) - 1
    assert curve[last] <= 1.05, "a step is within 5 % of the steady one when the warm-up ends"
    assert found.step_seconds == tuple(curve[: last + 1])


def test_disturbed_steps_do_not_prolong_it() -> None:
    generator = np.random.default_rng(0)
    lengths = []
    for _ in range(500):
        bursts = (generator.random(MOST) < 0.2) * generator.exponential(1.0, MOST)
        noise = 1 + 0.01 * generator.random(MOST) + bursts
        asked, timed = scripted(noise.tolist())
        warm_up(timed, seconds=1e9)
        lengths.append(len(asked))
    assert np.median(lengths) == FEWEST
    assert np.mean(np.array(lengths) > 2 * FEWEST) < 0.05


def test_what_never_settles_is_given_up_and_says_so() -> None:
    asked, timed = scripted([0.9**i for i in range(200)])
    found = warm_up(timed, seconds=1e9)
    assert not found.steady
    assert len(asked) == MOST


def test_it_ends_when_its_time_is_over() -> None:
    _, timed = scripted([0.9**i for i in range(200)])
    found = warm_up(timed, seconds=2.0)
    assert not found.steady
    # The first step may compile and is not counted.
    assert sum(found.step_seconds[1:-1]) < 2.0 <= sum(found.step_seconds[1:])


def test_short_steps_are_warmed_up_several_at_a_time() -> None:
    asked, timed = scripted([1e-4])
    found = warm_up(timed, seconds=10)
    assert asked[0] == 1
    assert set(asked[1:]) == {round(CHUNK_SECONDS / 1e-4)}
    assert found.steps == sum(asked)

"""Time to a target between evaluations, against scipy's censored fits and simulation."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from results.verdicts.events import Events, _bounds, fit, means
from results.verdicts.statistics import ErrorShare
from results.verdicts.unpaired import estimate


def drawn(rng: np.random.Generator, n: int, mean: float, sd: float, grid: np.ndarray) -> Events:
    """As a training is looked at: on a grid, and not beyond its end."""
    steps = np.exp(rng.normal(mean, sd, n))
    places = np.searchsorted(grid, steps)
    edges = np.concatenate([[0.0], grid, [math.inf]])
    return Events(edges[places], edges[places + 1])


@given(seed=st.integers(0, 5000), n=st.integers(20, 60), spacing=st.floats(5, 40), end=st.floats(90, 400))
def test_it_is_the_fit_of_greatest_likelihood(seed: int, n: int, spacing: float, end: float) -> None:
    grid = np.arange(spacing, end + spacing, spacing)
    events = drawn(np.random.default_rng(seed), n, math.log(100), 0.4, grid)
    if events.reached < n / 2:
        return
    mean, variance, worth = fit(events)
    with np.errstate(divide="ignore"):
        low, high = np.log(events.after), np.log(events.until)
    if variance < 1.01 * ((high - low)[np.isfinite(low) & np.isfinite(high)] ** 2).mean() / 12:
        return  # the grid is all that is seen

    def likelihood(location: float, scale: float) -> float:
        return float(
            np.log(stats.norm.cdf(high, location, scale) - stats.norm.cdf(low, location, scale)).sum()
        )

    best = likelihood(mean, math.sqrt(variance))
    for location, scale in ((0.01, 1), (-0.01, 1), (0, 1.02), (0, 0.98)):
        assert likelihood(mean + location, math.sqrt(variance) * scale) <= best + 1e-6
    assert 0 < worth <= n


def test_what_is_known_to_the_step_is_the_plain_mean() -> None:
    steps = np.array([80.0, 100.0, 120.0, 95.0, 130.0, 70.0])
    mean, variance, worth = fit(Events(steps - 1e-6, steps + 1e-6))
    assert mean == pytest.approx(np.log(steps).mean(), abs=1e-6)
    assert variance == pytest.approx(np.log(steps).var(), rel=1e-4)
    assert worth == pytest.approx(6, rel=1e-4)


@pytest.mark.parametrize(
    ("censored", "seeds", "ratio"), [(0.3, 12, 1.0), (0.3, 12, 1.2), (0.0, 8, 1.0), (0.5, 20, 1.0)]
)
def test_intervals_cover_under_censoring(censored: float, seeds: int, ratio: float) -> None:
    """So many of the arm's trainings miss the target, and evaluations are a tenth of the course apart."""
    rng = np.random.default_rng(2)
    end = 100 * math.exp(0.25 * (stats.norm.isf(censored) if censored else 6.0))
    grid = np.linspace(end / 12, end, 12) if censored else np.arange(10, end, 10)
    covered, ratios, repeats = 0, [], 500
    for _ in range(repeats):
        both = means(
            {
                "arm": drawn(rng, seeds, math.log(100 * ratio), 0.25, grid),
                "baseline": drawn(rng, 2 * seeds, math.log(100), 0.25, grid),
            }
        )
        found = estimate({"arm": 1.0, "baseline": -1.0}, both, ErrorShare())
        if found.low is None or found.high is None:
            continue
        ratios.append(found.mean)
        covered += found.low <= math.log(ratio) <= found.high
    assert len(ratios) > 0.9 * repeats
    assert np.mean(ratios) == pytest.approx(math.log(ratio), abs=0.02)
    assert 0.92 < covered / len(ratios) < 0.985


def test_two_of_many_say_little_about_when() -> None:
    events = Events(np.array([10.0, 20.0, 90.0, 90.0]), np.array([20.0, 30.0, math.inf, math.inf]))
    found = means({"arm": events, "baseline": events})
    assert found["arm"].spread is None


def test_the_target_is_reached_at_the_first_evaluation_that_shows_it() -> None:
    course = pd.DataFrame({"step": [10, 20, 30], "value": [0.5, 0.92, 0.89]})
    assert _bounds(course, 0.9) == (10.0, 20.0)
    assert _bounds(course, 0.5) == (0.0, 10.0)
    assert _bounds(course, 0.95) == (30.0, math.inf)

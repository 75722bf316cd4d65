"""Dunnett's intervals, against scipy's multivariate t and the published table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from results.verdicts.simultaneous import adjusted, critical_value, probability_within


@pytest.mark.parametrize(
    ("comparisons", "freedom", "expected"),
    [(2, 10, 2.57), (3, 10, 2.76), (5, 10, 2.99), (9, 10, 3.24), (3, 20, 2.54), (9, 20, 2.95), (9, 60, 2.77)],
)
def test_the_published_table(comparisons: int, freedom: float, expected: float) -> None:
    """Dunnett (1964), "New tables for multiple comparisons with a control", two-sided, 5 %."""
    assert critical_value(0.05, comparisons, freedom, 0.5) == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize("comparisons", [2, 4, 10])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5])
def test_the_probability_is_that_of_the_multivariate_t(comparisons: int, correlation: float) -> None:
    shape = np.full((comparisons, comparisons), correlation) + (1 - correlation) * np.eye(comparisons)
    reach = 2.6
    expected = stats.multivariate_t(shape=shape, df=9, seed=1).cdf(
        np.full(comparisons, reach), lower_limit=np.full(comparisons, -reach), maxpts=200_000 * comparisons
    )
    assert probability_within(reach, comparisons, 9, correlation) == pytest.approx(expected, abs=2e-3)


def test_one_comparison_is_students_t() -> None:
    assert critical_value(0.05, 1, 11, 0.0) == pytest.approx(stats.t.ppf(0.975, 11))
    assert adjusted(0.03, 1, 11, 0.0) == 0.03


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 40), st.floats(5, 200), st.floats(0, 0.5), st.floats(1e-9, 1, exclude_max=True))
def test_the_adjusted_p_value_agrees_with_the_interval_and_lies_between_none_and_bonferronis(
    comparisons: int, freedom: float, correlation: float, p: float
) -> None:
    found = adjusted(p, comparisons, freedom, correlation)
    assert p <= found <= min(1.0, comparisons * p) + 1e-12
    reach = critical_value(0.05, comparisons, freedom, correlation)
    statistic = float(stats.t.isf(p / 2, freedom))
    if abs(statistic - reach) > 1e-4:
        assert (found < 0.05) == (statistic > reach)

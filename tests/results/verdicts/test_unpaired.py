"""Arms that are samples of their own, against scipy, closed forms and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from results.verdicts import statistics as rules
from results.verdicts import unpaired
from results.verdicts.mean import Mean
from results.verdicts.spread import Spread
from results.verdicts.statistics import ErrorShare, Estimate
from results.verdicts.unpaired import estimate, means

EFFECT = {"arm": 1.0, "baseline": -1.0}


def of(**values: np.ndarray) -> dict[str, Mean]:
    return means(values)


def ends(found: Estimate) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


@given(
    seed=st.integers(0, 10_000), n=st.integers(2, 30), of_baseline=st.integers(2, 60), shift=st.floats(-3, 3)
)
def test_two_arms_are_welchs_test(seed: int, n: int, of_baseline: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    arm, baseline = rng.normal(shift, 3, n), rng.normal(0, 1, of_baseline)
    found = estimate(EFFECT, of(arm=arm, baseline=baseline))
    test = stats.ttest_ind(arm, baseline, equal_var=False)
    # Degrees of freedom are cut to a tenth, which widens the interval of two against two by a few percent.
    freedom = math.floor(max(1.0, float(test.df)) * 10) / 10
    half = stats.t.isf(0.025, freedom) * math.hypot(
        arm.std(ddof=1) / n**0.5, baseline.std(ddof=1) / of_baseline**0.5
    )
    assert found.mean == pytest.approx(arm.mean() - baseline.mean())
    assert ends(found) == pytest.approx((found.mean - half, found.mean + half))
    assert found.freedom == pytest.approx(float(test.df), abs=0.1)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(test.statistic), freedom))
    assert (found.n, found.n_baseline, found.fewest) == (n, of_baseline, min(n, of_baseline))


def test_an_interaction_adds_the_variances_of_its_four_arms() -> None:
    rng = np.random.default_rng(0)
    values = {name: rng.normal(0, sd, 12) for name, sd in (("ab", 1), ("a", 2), ("b", 3), ("baseline", 1))}
    alone = {arm: Mean(float(v.mean()), 12, Spread(float(v.var(ddof=1)), 11)) for arm, v in values.items()}
    found = estimate({"ab": 1, "a": -1, "b": -1, "baseline": 1}, alone)
    error = math.sqrt(sum(v.var(ddof=1) / 12 for v in values.values()))
    assert found.error == pytest.approx(error)
    assert found.sd == pytest.approx(error * math.sqrt(12))
    assert found.mean == pytest.approx(
        sum(s * values[a].mean() for a, s in zip(values, (1, -1, -1, 1), strict=True))
    )


@pytest.mark.parametrize("values", [[], [0.5]])
def test_too_few_seeds_have_no_interval(values: list[float]) -> None:
    found = estimate(EFFECT, of(arm=np.array(values), baseline=np.array([0.4, 0.5, 0.6])))
    assert (found.low, found.high, found.p) == (None, None, None)
    assert found.n == len(values)


shares = st.lists(st.floats(0, 1), min_size=2, max_size=12)


@given(arm=shares, baseline=shares, comparisons=st.integers(1, 20))
def test_an_interval_of_shares_stays_within_what_shares_can_be(
    arm: list[float], baseline: list[float], comparisons: int
) -> None:
    both = means({"arm": np.array(arm), "baseline": np.array(baseline)}, is_share=True)
    found = estimate(EFFECT, both, ErrorShare(comparisons))
    low, high = ends(found)
    assert -1 - 1e-9 <= low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= high <= 1 + 1e-9
    outside = low > 1e-9 or high < -1e-9
    assert found.p_adjusted is not None
    if abs(found.p_adjusted - 0.05) > 1e-6:
        assert (found.p_adjusted < 0.05) == outside or min(abs(low), abs(high)) < 1e-6


def test_two_heaps_of_accuracy_reach_no_farther_than_a_hundred_percent() -> None:
    """Three seeds of six that do not learn: Student's interval held 28.7 points more than 96.9 %."""
    arm = np.array([0.967, 0.972, 0.969, 0.1, 0.11, 0.55])
    baseline = np.array([0.969, 0.972, 0.964, 0.970, 0.968, 0.971])
    student = estimate(EFFECT, means({"arm": arm, "baseline": baseline}), ErrorShare(10))
    assert baseline.mean() + ends(student)[1] > 1.2
    bounded = estimate(EFFECT, means({"arm": arm, "baseline": baseline}, is_share=True), ErrorShare(10))
    assert baseline.mean() + ends(bounded)[1] < 1


def test_of_a_share_far_from_its_bounds_it_is_nearly_students() -> None:
    rng = np.random.default_rng(3)
    values = {"arm": rng.normal(0.6, 0.01, 20), "baseline": rng.normal(0.5, 0.01, 20)}
    plain, bounded = (ends(estimate(EFFECT, means(values, is_share=share))) for share in (False, True))
    assert bounded == pytest.approx(plain, abs=2e-4)


def test_alike_arms_lend_each_other_degrees_of_freedom_and_a_wild_one_stays_alone() -> None:
    rng = np.random.default_rng(5)
    values = {f"arm{i}": rng.normal(0, 1, 8) for i in range(9)} | {"wild": rng.normal(0, 40, 8)}
    found = means(values)
    assert found["wild"].spread == rules.own_spread(values["wild"])
    calm = [found[f"arm{i}"].spread for i in range(9)]
    assert all(spread is not None and spread.freedom > 12 for spread in calm)


@pytest.mark.parametrize(("arms", "seeds", "of_baseline"), [(1, 8, 8), (10, 8, 24), (10, 6, 6), (4, 12, 30)])
def test_intervals_cover_and_a_family_without_effects_is_quiet(
    arms: int, seeds: int, of_baseline: int
) -> None:
    rng = np.random.default_rng(11)
    repeats, covered, quiet = 600, 0, 0
    names = [f"arm{i}" for i in range(arms)]
    for _ in range(repeats):
        values = {name: rng.normal(0, 1, seeds) for name in names} | {
            "baseline": rng.normal(0, 1, of_baseline)
        }
        found = means(values)
        correlation = unpaired.correlation([{name: 1.0, "baseline": -1.0} for name in names], found)
        family = [
            estimate({name: 1.0, "baseline": -1.0}, found, ErrorShare(arms, correlation)) for name in names
        ]
        assert family[0].low_alone is not None
        assert family[0].high_alone is not None
        covered += family[0].low_alone <= 0 <= family[0].high_alone
        quiet += all(ends(one)[0] <= 0 <= ends(one)[1] for one in family)
    # 99.9 % of binomials with 95 % lie within 2.9 points.
    assert covered / repeats == pytest.approx(0.95, abs=0.03)
    assert 0.92 < quiet / repeats < 0.98


def test_a_shared_baseline_correlates_what_leans_on_it() -> None:
    spread = Spread(1.0, 100)
    found = {name: Mean(0.0, n, spread) for name, n in (("a", 8), ("b", 8), ("baseline", 8))}
    pairs = [{"a": 1.0, "baseline": -1.0}, {"b": 1.0, "baseline": -1.0}]
    assert unpaired.correlation(pairs, found) == 0.5
    more = found | {"baseline": Mean(0.0, 24, spread)}
    assert unpaired.correlation(pairs, more) == pytest.approx(0.2), "1/4, downwards"


@pytest.mark.parametrize("images", [360, 2000])
@pytest.mark.parametrize("missed", [1e-4, 5e-4, 2e-3])
def test_arms_that_are_nearly_always_right_are_not_told_apart_for_one_image(
    images: int, missed: float
) -> None:
    """Seeds that all reach 100 % say that few images are missed, not that none is."""
    rng = np.random.default_rng(0)
    differ, runs = 0, 600
    for _ in range(runs):
        arm, baseline = (rng.binomial(images, 1 - missed, n) / images for n in (6, 8))
        found = estimate(EFFECT, means({"arm": arm, "baseline": baseline}, is_share=True))
        low, high = ends(found)
        assert low <= found.mean <= high
        differ += not low <= 0 <= high
        assert found.p is not None
        assert (found.p < 0.05) == (not low <= 0 <= high)
    assert differ <= stats.binom.ppf(0.999, runs, 0.05)


def test_a_wild_arm_says_nothing_of_those_at_a_bound() -> None:
    rng = np.random.default_rng(0)
    perfect, wild = np.ones(7), rng.uniform(0.2, 0.9, 7)
    values = {"perfect": perfect, "as perfect": np.ones(16), "wild": wild}
    alone = means(values, is_share=True)
    assert ends(estimate({"perfect": 1.0, "as perfect": -1.0}, alone)) == (0.0, 0.0)
    near = {f"near {place}": 1 - rng.binomial(4, 0.3, 7) / 400 for place in range(2)}
    beside = means(values | near, is_share=True)
    low, high = ends(estimate({"perfect": 1.0, "as perfect": -1.0}, beside))
    assert -0.005 < low < 0 < high < 0.005
    assert beside["perfect"].spread == Spread(
        min(float(np.var(one, ddof=1)) for one in near.values()), 6.0, shared=True
    )


def test_what_lies_at_a_bound_has_the_others_spread_towards_the_inside() -> None:
    perfect, good = np.ones(6), np.array([0.99, 1.0, 0.98, 1.0, 1.0, 0.99])
    spread = means({"perfect": perfect, "good": good}, is_share=True)["perfect"]
    assert spread.variance == pytest.approx(good.var(ddof=1) / 6)
    assert spread.ends(2.0) == pytest.approx((1 - 2 * (good.var(ddof=1) / 6) ** 0.5, 1.0))
    alone = means({"perfect": perfect, "as perfect": perfect}, is_share=True)
    assert ends(estimate({"perfect": 1.0, "as perfect": -1.0}, alone)) == (0.0, 0.0)
    unbounded = means({"perfect": perfect, "good": good})["perfect"]
    assert unbounded.variance == 0

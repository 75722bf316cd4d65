import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import stats

from results.records.metric import Better
from results.verdicts import statistics as rules

numbers = st.floats(-10, 10, allow_nan=False).map(lambda x: round(x, 6))
samples = st.lists(numbers, min_size=2, max_size=12)
families = st.integers(1, 40)
relaxed = settings(deadline=None, max_examples=80)


def ends(found: rules.Estimate) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def test_the_interval_is_the_textbook_one() -> None:
    values = [0.11, 0.07, 0.13, 0.02, 0.09, 0.10]
    half = stats.t.ppf(0.975, 5) * np.std(values, ddof=1) / math.sqrt(6)
    found = rules.estimate(values)
    assert found.low == pytest.approx(np.mean(values) - half)
    assert found.high == pytest.approx(np.mean(values) + half)


def test_the_simultaneous_interval_is_bonferronis() -> None:
    values = [0.11, 0.07, 0.13, 0.02, 0.09, 0.10]
    half = stats.t.ppf(1 - 0.05 / (2 * 7), 5) * np.std(values, ddof=1) / math.sqrt(6)
    found = rules.estimate(values, 7)
    assert found.high == pytest.approx(np.mean(values) + half)
    assert found.high_alone == pytest.approx(rules.estimate(values).high)


@relaxed
@given(samples, families)
@example([0.5, 0.5, 0.5], 3)
@example([0.0, 0.0], 1)
def test_the_adjusted_p_value_and_the_interval_never_disagree(values: list[float], size: int) -> None:
    found = rules.estimate(values, size)
    low, high = ends(found)
    adjusted = rules.adjust([found.p, *[None] * (size - 1)])[0]
    assert found.p is not None
    assert adjusted is not None
    assert adjusted == pytest.approx(min(1.0, size * found.p))
    assume(abs(adjusted - 0.05) > 1e-9)
    assert (adjusted < 0.05) == (low > 0 or high < 0)


def test_a_member_that_could_not_be_tested_still_counts() -> None:
    assert rules.adjust([0.01, None, 0.2]) == [pytest.approx(0.03), None, pytest.approx(0.6)]


@relaxed
@given(samples, families, st.floats(0.01, 100))
def test_scaling_the_contrasts_scales_the_interval(values: list[float], size: int, by: float) -> None:
    assume(np.std(values) > 1e-3)
    one, other = rules.estimate(values, size), rules.estimate([by * v for v in values], size)
    assert list(ends(other)) == pytest.approx([by * end for end in ends(one)], rel=1e-6, abs=1e-9)
    assert other.p == pytest.approx(one.p, rel=1e-6)


@relaxed
@given(samples, families, st.floats(0, 5), st.sampled_from(["lower", "higher"]))
def test_swapping_the_arms_inverts_the_effect_and_the_verdict(
    values: list[float], size: int, margin: float, better: Better
) -> None:
    one, other = rules.estimate(values, size), rules.estimate([-v for v in values], size)
    low, high = ends(one)
    assert list(ends(other)) == pytest.approx([-high, -low])
    inverse = {"better": "worse", "worse": "better"}
    verdict = rules.decide(low, high, margin, better)
    assert rules.decide(-high, -low, margin, better) == inverse.get(verdict, verdict)


@pytest.mark.parametrize(
    ("low", "high", "lower_is_better", "higher_is_better"),
    [
        (-0.02, 0.02, "equivalent", "equivalent"),
        (0.01, 0.03, "equivalent", "equivalent"),  # detectable, below the margin
        (-0.05, 0.05, "equivalent", "equivalent"),  # the margin itself still counts as within
        (0.0, 0.0, "equivalent", "equivalent"),
        (0.01, 0.09, "worse", "better"),
        (-0.09, -0.01, "better", "worse"),
        (0.06, 0.09, "worse", "better"),
        (-0.01, 0.09, "inconclusive", "inconclusive"),
        (0.0, 0.09, "inconclusive", "inconclusive"),  # it touches "no effect"
    ],
)
def test_the_table_of_verdicts(low: float, high: float, lower_is_better: str, higher_is_better: str) -> None:
    assert rules.decide(low, high, 0.05, "lower") == lower_is_better
    assert rules.decide(low, high, 0.05, "higher") == higher_is_better


@relaxed
@given(st.floats(-1, 1), st.floats(0.001, 0.5), st.floats(0.001, 0.2), families)
def test_n_needed_is_where_any_effect_is_decided_and_none_was_looked_at(
    mean: float, sd: float, margin: float, size: int
) -> None:
    values = mean + sd * np.array([-1.0, 1.0, -0.5, 0.5, -1.2, 1.2, 0.1, -0.1])
    found = rules.estimate(values, size)
    needed = rules.blocks_needed(found, margin)
    assert needed == rules.blocks_needed(rules.estimate(values - mean, size), margin)
    reach = stats.t.ppf(1 - 0.05 / (2 * size), 7)

    def decides(n: int, effect: float) -> bool:
        half = float(reach * np.std(values, ddof=1) / math.sqrt(n))
        return rules.decide(effect - half, effect + half, margin, "lower") != "inconclusive"

    if needed is None:
        assert not all(decides(3_000, effect) for effect in np.linspace(0, 2 * margin, 41))
        return
    assert all(decides(needed.likely + 1, effect) for effect in np.linspace(0, 2 * margin, 41))
    assert needed.low <= needed.likely <= needed.high
    if needed.likely > rules.MINIMUM_BLOCKS:
        assert not all(decides(math.floor(0.9 * needed.likely), e) for e in np.linspace(0, 2 * margin, 401))


def test_the_range_of_n_needed_holds_what_the_true_spread_needs() -> None:
    rng = np.random.default_rng(3)
    margin, sd = 0.02, 0.03
    held = []
    for _ in range(1_000):
        found = rules.estimate(rng.normal(0, sd, 10))
        needed = rules.blocks_needed(found, margin)
        assert needed is not None
        assert found.reach is not None
        held.append(needed.low <= (found.reach * sd / (margin / 2)) ** 2 + 1 <= needed.high + 1)
    assert 0.87 < np.mean(held) < 0.93, "a range of 90 %"


def test_without_a_margin_nothing_is_ever_decided_by_repeating() -> None:
    assert rules.blocks_needed(rules.estimate([0.0, 1.0, 0.5]), margin=0.0) is None


def test_the_smallest_detectable_effect_is_found_in_eighty_of_a_hundred_repeats() -> None:
    rng = np.random.default_rng(4)
    sd, n = 0.02, 12
    usual = rules.smallest_detectable(rules.estimate(sd * np.sqrt(11 / 12) * np.tile([-1.0, 1.0], 6), 3))
    assert usual is not None
    found = [rules.estimate(rng.normal(usual, sd, n), 3) for _ in range(2_000)]
    assert 0.75 < np.mean([one.low is not None and one.low > 0 for one in found]) < 0.85


def test_a_contrast_is_the_median_over_rounds_of_paired_differences() -> None:
    index = pd.MultiIndex.from_product([["p0", "p1"], ["t"], range(3)], names=["block", "pair", "round"])
    wide = pd.DataFrame({"a": [1.0, 2, 9, 4, 4, 4], "b": [1.0, 1, 1, 1, 2, 3]}, index=index)
    found = rules.contrast_by_block(wide, {"a": 1, "b": -1})
    assert found.to_dict() == {"p0": 1.0, "p1": 2.0}


def test_a_round_without_all_arms_is_left_out_of_the_contrast() -> None:
    index = pd.MultiIndex.from_product([["p0"], ["t"], range(2)], names=["block", "pair", "round"])
    wide = pd.DataFrame({"a": [5.0, 2], "b": [math.nan, 1]}, index=index)
    assert rules.contrast_by_block(wide, {"a": 1, "b": -1}).to_dict() == {"p0": 1.0}
    assert rules.contrast_by_block(wide, {"a": 1, "c": -1}).empty


def test_what_pairing_bought_is_pearsons_correlation() -> None:
    rng = np.random.default_rng(0)
    baseline = rng.normal(size=9)
    arm = baseline + rng.normal(size=9)
    assert rules.correlation(arm, baseline) == pytest.approx(stats.pearsonr(arm, baseline)[0])
    assert rules.correlation(np.ones(9), baseline) is None


def test_the_bootstrap_stands_beside_only_from_twenty_blocks() -> None:
    values = np.random.default_rng(0).normal(1, 1, 20)
    assert rules.bootstrap_interval(values[:19]) is None
    found = rules.bootstrap_interval(values)
    assert found is not None
    assert found == rules.bootstrap_interval(values), "the same seed, the same interval"
    assert list(found) == pytest.approx(list(ends(rules.estimate(values))), abs=0.1)


def test_the_interval_of_a_proportion_is_clopper_pearsons() -> None:
    low, high = rules.proportion_interval(2, 8)
    assert low == pytest.approx(stats.beta.ppf(0.025, 2, 7))
    assert high == pytest.approx(stats.beta.ppf(0.975, 3, 6))

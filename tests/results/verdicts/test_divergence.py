"""Divergence: two independent samples of runs, told apart by Fisher's exact test."""

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from results.records.resolved_study import Arm, ResolvedStudy
from results.verdicts.controls import Controls
from results.verdicts.divergence import divergence_rows, fisher, newcombe, smallest_detectable
from results.verdicts.rows import frame
from tests.results.planted import Plan, study

WORKLOAD = "digits-32"


def of_arms(number: int) -> ResolvedStudy:
    """A study of so many arms, a baseline and its duplicate."""
    arms = [Arm("baseline", "baseline", {}), Arm("(control)", "control", {})]
    arms += [Arm(f"arm-{i}", "arm", {"stem": f"level-{i}"}) for i in range(number)]
    one = study(Plan())
    variants = {arm.name: "resnet" for arm in arms}
    workloads = tuple(replace(workload, variants=variants) for workload in one.workloads)
    return replace(one, arms=tuple(arms), workloads=workloads)


def table(arms: int, **runs: tuple[int, int]) -> pd.DataFrame:
    """Divergence rows; for each arm how many of how many runs diverged, their seeds its own."""
    outcomes = [
        (
            *("laptop", WORKLOAD, f"seed-{seed}", name.replace("_", "-").replace("control", "(control)")),
            "diverged" if seed < diverged else "ok",
        )
        for name, (diverged, of) in runs.items()
        for seed in range(of)
    ]
    known = pd.DataFrame(outcomes, columns=["environment", "workload", "block", "arm", "status"])
    return frame(divergence_rows(of_arms(arms), known))


def row(arms: int, **runs: tuple[int, int]) -> dict[Any, Any]:
    """That of the first arm."""
    (found,) = (one for one in table(arms, **runs).to_dict("records") if one["arm"] == "arm-0")
    return found


def exact_p(k: int, n: int, b: int, m: int) -> float:
    """Fisher's two-sided p-value from counts of ways alone."""
    ways = {i: math.comb(n, i) * math.comb(m, k + b - i) for i in range(max(0, k + b - m), min(n, k + b) + 1)}
    return sum(way for way in ways.values() if way <= ways[k]) / math.comb(n + m, k + b)


def test_six_of_six_against_none_of_six_is_decided_in_a_family_of_ten() -> None:
    found = row(10, baseline=(0, 6), arm_0=(6, 6), arm_1=(1, 6), control=(0, 6))
    assert found["p_value"] == pytest.approx(2 / math.comb(12, 6))
    assert found["p_adjusted"] == pytest.approx(10 * 2 / math.comb(12, 6))
    assert (found["verdict"], found["effect"], found["comparisons"]) == ("worse", 1.0, 10)
    assert found["beyond_margin"]
    assert found["ci_low"] > 0


def test_seeds_are_no_pairs_and_sides_may_differ_in_number() -> None:
    found = row(1, baseline=(0, 12), arm_0=(8, 8))
    assert found["p_value"] == pytest.approx(1 / math.comb(20, 8))
    assert (found["n"], found["baseline_n"], found["baseline_value"]) == (8, 12, 0.0)
    assert found["verdict"] == "worse"
    better = row(1, baseline=(12, 12), arm_0=(0, 8))
    assert better["verdict"] == "better"
    assert better["n"] == 8


def test_fewer_than_six_on_either_side_decide_nothing() -> None:
    found = row(1, baseline=(0, 40), arm_0=(5, 5))
    assert (found["verdict"], found["cause"]) == ("inconclusive", "too_few")
    assert not found["beyond_margin"]
    assert row(1, baseline=(0, 5), arm_0=(40, 40))["verdict"] == "inconclusive"


@pytest.mark.parametrize(("n", "m"), [(6, 6), (8, 12), (20, 7)])
def test_the_test_is_fishers(n: int, m: int) -> None:
    for k, b in product(range(n + 1), range(m + 1)):
        assert fisher(k, n, b, m) == pytest.approx(exact_p(k, n, b, m))


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("n", [6, 12])
def test_the_adjusted_p_value_shown_and_the_interval_shown_never_disagree(n: int, size: int) -> None:
    for k in range(n + 1):
        for b in {0, 1, n // 2, n}:
            if k == b == 0:
                continue
            one = row(size, baseline=(b, n), arm_0=(k, n))
            outside = one["ci_low"] > 0 or one["ci_high"] < 0
            decided = one["verdict"] in {"better", "worse"}
            assert decided == (size * exact_p(k, n, b, n) < 0.05)
            assert outside == decided, "whatever the cause"
            if math.isnan(one["p_adjusted"]):
                assert one["cause"] == "tests_disagree"
                assert not decided
            else:
                assert (one["p_adjusted"] < 0.05) == outside == decided


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_equal_shares_are_told_apart_in_one_run_of_twenty_at_most(share: float) -> None:
    counts = np.arange(9)
    told = np.array([[fisher(int(k), 8, int(b), 8) < 0.05 for b in counts] for k in counts])
    weights = stats.binom.pmf(counts, 8, share)
    assert weights @ told @ weights <= 0.05


def test_the_smallest_detectable_difference_is_found_four_times_in_five() -> None:
    found = smallest_detectable(12, 0.25, 10, 4)
    assert found is not None
    rng = np.random.default_rng(2)
    arm, baseline = rng.binomial(12, 0.25 + found, 4000), rng.binomial(10, 0.25, 4000)
    hits = [4 * exact_p(int(k), 12, int(b), 10) < 0.05 for k, b in zip(arm, baseline, strict=True)]
    assert np.mean(hits) == pytest.approx(0.8, abs=0.02)  # three standard errors


def test_where_too_few_runs_find_nothing_there_is_no_smallest_difference() -> None:
    assert smallest_detectable(2, 0.0, 2) is None
    assert row(1, baseline=(0, 6), arm_0=(1, 6))["smallest_detectable"] < 0.9


def test_the_interval_is_newcombes_on_either_number_of_runs() -> None:
    def wilson(k: int, n: int) -> tuple[float, float]:
        found = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    (low_a, high_a), (low_b, high_b) = wilson(5, 8), wilson(2, 12)
    difference = 5 / 8 - 2 / 12
    low = difference - math.hypot(5 / 8 - low_a, high_b - 2 / 12)
    high = difference + math.hypot(high_a - 5 / 8, 2 / 12 - low_b)
    assert newcombe(5, 8, 2, 12) == pytest.approx((low, high))


def test_a_duplicate_that_diverges_where_the_baseline_does_not_invalidates_the_row() -> None:
    found = table(1, baseline=(0, 8), control=(8, 8), arm_0=(8, 8))
    judged = Controls.of(found).applied(found).set_index("arm")
    assert set(judged["verdict"]) == {"invalid"}
    assert set(judged["control_differs"]) == {True}
    quiet = table(1, baseline=(0, 8), control=(1, 8), arm_0=(8, 8))
    judged = Controls.of(quiet).applied(quiet).set_index("arm")
    assert judged.loc["arm-0", "verdict"] == "worse"
    assert not judged["control_differs"].any()

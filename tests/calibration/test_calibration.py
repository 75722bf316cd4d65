"""The calibration itself: it plants what it says, resumes, and counts by the book."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.calibration.answers import OURS, Answer
from tests.calibration.costs import answers_needed, costs, times
from tests.calibration.experiment import COLUMNS, SERIES, comparisons, run_experiments, summary
from tests.calibration.opponents import WAYS, of_pairs, of_two_samples
from tests.calibration.side_by_side import ask, markdown
from tests.calibration.slow_copies import slow_copy


def test_the_slow_copy_is_drawn_from_the_seed_and_each_comes_up() -> None:
    drawn = [slow_copy(seed) for seed in range(600)]
    assert drawn == [slow_copy(seed) for seed in range(600)]
    # Binomial(600, 1/6): 100 expected, deviation 9.1.
    assert all(abs(drawn.count(copy) - 100) < 5 * 9.1 for copy in "bcdefg")


def test_the_summary_counts_comparisons() -> None:
    def row(arm: str, planted: bool, effect: float, truth: float) -> tuple[object, ...]:
        own = (truth, 12, effect, effect - 0.004, effect + 0.004)
        return ("small", "e0", "inference", arm, planted, *own, 0.9, 1.1, "equivalent", 10.0)

    rows = [
        row("(control)", False, 1.002, 1.0),
        row("copy=b", True, 1.008, 1.01),
        row("copy=c", False, 1.005, 1.0),
    ]
    told = summary(pd.DataFrame(rows, columns=COLUMNS))
    assert "| small, equal | inference | 2 | 1 (50%) | 1 (50%) |" in told
    assert "| small, planted | inference | 1 | 1 (100%) | 1 (100%) | 0 to 1 hold | +0.80% |" in told
    assert "| ±0.40% | 1 equivalent |" in told


@pytest.mark.parametrize("sd", [0.005, 0.02, 0.08])
def test_the_answers_needed_are_the_fewest_that_make_the_interval_narrow_enough(sd: float) -> None:
    def half_width(n: float) -> float:
        return float(stats.t.interval(0.95, n - 1, scale=sd / math.sqrt(n))[1])

    n = float(answers_needed(np.array(sd)))
    assert half_width(n) == pytest.approx(math.log(1.02), rel=1e-4) or (n == 2 and half_width(n) < 0.0198)


def answers(method: str, log_ratios: Sequence[float], seconds: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        [Answer(method, one, 0.01 * (-1) ** i, False, seconds) for i, one in enumerate(log_ratios)]
    )


def spread(sd: float, count: int = 24) -> list[float]:
    """Around 0.1, with exactly that standard deviation."""
    deviation = sd * math.sqrt((count - 1) / count)
    return [0.1 + deviation * (-1) ** i for i in range(count)]


def test_a_planted_spread_gives_the_count_and_the_seconds_that_belong_to_it() -> None:
    # Ten of such a spread are known to 2 %, and forty of the other: by the t interval's own formula.
    ten, forty = (math.log(1.02) * math.sqrt(n) / stats.t.ppf(0.975, n - 1) for n in (10, 40))
    own, other = costs(pd.concat([answers(OURS, spread(ten, 48), 3.0), answers("other", spread(forty), 2.0)]))
    assert own.needed == pytest.approx(10, rel=1e-4)
    assert own.seconds == pytest.approx(30, rel=1e-4)
    assert other.needed == pytest.approx(40, rel=1e-4)
    assert other.times_ours.value == pytest.approx(80 / 30, rel=1e-4)
    assert other.times_ours.low < 80 / 30 < other.times_ours.high
    assert own.ratio.value == pytest.approx(math.exp(0.1))


def test_all_methods_are_counted_alike() -> None:
    # A spread so small that two answers are enough, and so the fewest decide.
    own, other = costs(pd.concat([answers(name, spread(0.0005), 3.0) for name in (OURS, "other")]))
    assert replace(other, method=OURS, times_ours=own.times_ours) == own
    assert own.seconds == pytest.approx(6)
    assert own.seconds_of_six == pytest.approx(18)
    assert other.times_ours.value == 1


def test_the_interval_of_the_factor_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    truth = answers_needed(np.array(0.08)) * 2.0 / (answers_needed(np.array(0.012)) * 3.0)
    held = []
    for _ in range(100):
        found = times(
            answers("other", generator.normal(0.1, 0.08, 24).tolist(), 2.0),
            answers(OURS, generator.normal(0.1, 0.012, 48).tolist(), 3.0),
        )
        held.append(found.low <= truth <= found.high)
    # Nine of ten are expected; one that always holds it is too wide.
    assert 80 <= sum(held) <= 95


def test_equal_networks_called_different_are_counted_in_lots_of_six() -> None:
    same = [0.05, 0.06, 0.05, 0.06, 0.05, 0.06, *(0.01 * (-1) ** i for i in range(8))]
    found = pd.DataFrame([Answer(OURS, 0.1, one, one > 0.05, 1.0) for one in same])
    (cost,) = costs(found)
    assert (cost.called_different, cost.sixes, cost.sixes_different) == (3, 2, 1)
    assert cost.same_percent.value == pytest.approx(100 * sum(same) / 14)


def test_a_drift_cancels_in_pairs_and_not_in_sequence() -> None:
    drift = np.exp(0.01 * np.arange(80)).reshape(-1, 4)
    pairs = of_pairs(drift[:, [0, 3]], 1.1 * drift[:, [1, 2]])
    assert pairs.log_ratio == pytest.approx(math.log(1.1))
    assert pairs.p_value < 0.05
    sequence = drift.ravel()
    assert of_two_samples(sequence[:40], 1.1 * sequence[40:]).log_ratio > 0.4


def test_the_table_has_a_column_for_each_method() -> None:
    methods = [OURS, *WAYS]
    lines = markdown(costs(pd.concat([answers(name, spread(0.01)) for name in methods]))).splitlines()
    assert lines[0] == f"|  | {' | '.join(methods)} |"
    assert {line.count("|") for line in lines} == {len(methods) + 2}


@pytest.mark.slow
def test_every_method_answers_in_its_turn(tmp_path: Path) -> None:
    found = pd.DataFrame(list(ask(tmp_path, 1)))
    assert found["method"].tolist() == [OURS, OURS, *WAYS]
    assert found["log_ratio"].abs().max() < 1
    assert found["seconds"].between(0.1, 60).all()


@pytest.mark.slow
def test_an_experiment_finds_what_is_planted_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    series = next(one for one in SERIES if one.name == "small")
    run_experiments(tmp_path, series, 1)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/run/records/*.json")}
    found = comparisons(tmp_path, (series,)).query("mode == 'inference'").set_index("arm")
    assert found["planted"].to_dict() == {"(control)": False} | {
        f"copy={name}": name == slow_copy(0) for name in "bcdefg"
    }
    planted = found[found["planted"]].iloc[0]
    assert planted["truth"] == 1.01
    assert abs(planted["effect"] - 1.01) < 0.03
    run_experiments(tmp_path, series, 1)
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/run/records/*.json")}

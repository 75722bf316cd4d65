"""The calibration itself: it plants what it says, resumes, and counts by the book."""

import math
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from tests.calibration.experiment import COLUMNS, comparisons, run_experiments, summary
from tests.calibration.sabotage import slow_copy
from tests.calibration.side_by_side import answers_needed


def test_the_slow_copy_is_drawn_from_the_seed_and_not_always_the_same() -> None:
    drawn = [slow_copy(seed) for seed in range(200)]
    assert drawn == [slow_copy(seed) for seed in range(200)]
    # Binomial(200, 1/2): 100 expected, deviation 7.1.
    assert abs(drawn.count("b") - 100) < 5 * 7.1


def test_the_summary_counts_comparisons() -> None:
    rows = [
        ("e0", "inference", "(control)", False, 6, 1.0, 0.99, 1.01, False, True, "equivalent"),
        ("e0", "inference", "copy=b", True, 6, 1.03, 1.01, 1.05, True, True, "equivalent"),
        ("e0", "inference", "copy=c", False, 6, 1.02, 1.01, 1.03, True, False, "equivalent"),
    ]
    told = summary(pd.DataFrame(rows, columns=COLUMNS))
    assert "| equal networks called different | 2 | 1 (50.0%) |" in told
    assert "| planted +3 % found | 1 | 1 (100.0%) |" in told


@pytest.mark.parametrize("sd", [0.005, 0.02, 0.08])
def test_the_answers_needed_are_the_fewest_that_make_the_interval_narrow_enough(sd: float) -> None:
    def half_width(n: int) -> float:
        return float(stats.t.interval(0.95, n - 1, scale=sd / math.sqrt(n))[1])

    n = answers_needed(sd, 2)
    assert half_width(n) <= math.log(1.02)
    assert n == 2 or half_width(n - 1) > math.log(1.02)
    assert answers_needed(sd, 6) == max(6, n)


@pytest.mark.slow
def test_an_experiment_finds_what_is_planted_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    run_experiments(tmp_path, 1)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/run/records/*.json")}
    found = comparisons(tmp_path).set_index("arm")
    assert found["planted"].to_dict() == {
        "(control)": False,
        "copy=b": slow_copy(0) == "b",
        "copy=c": slow_copy(0) == "c",
    }
    planted = found[found["planted"]].iloc[0]
    assert abs(planted["effect"] - 1.03) < 0.03
    run_experiments(tmp_path, 1)
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/run/records/*.json")}

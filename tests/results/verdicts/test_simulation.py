"""What the rules do over many runs whose truth is known."""

from collections.abc import Sequence

import numpy as np
import pytest

from results.verdicts import statistics as rules

RUNS = 600


def intervals(mean: float, sd: float, n: int, size: int = 1) -> list[tuple[float, float]]:
    rng = np.random.default_rng(3)
    found = [rules.estimate(rng.normal(mean, sd, n), size) for _ in range(RUNS)]
    return [(f.low, f.high) for f in found if f.low is not None and f.high is not None]


def share(mean: float, sd: float, n: int, margin: float, size: int = 1) -> dict[str, float]:
    """How often each verdict falls where lower is better."""
    fallen = [rules.decide(low, high, margin, "lower") for low, high in intervals(mean, sd, n, size)]
    return {
        verdict: fallen.count(verdict) / RUNS for verdict in ("better", "worse", "equivalent", "inconclusive")
    }


@pytest.mark.parametrize("n", [6, 12])
def test_intervals_hold_the_truth_as_often_as_they_say(n: int) -> None:
    coverage = np.mean([low < 0.3 < high for low, high in intervals(0.3, 1, n)])
    assert 0.923 < coverage < 0.977  # three standard errors of 95 % over 600 runs are 2.7 %


def test_intervals_of_a_family_hold_all_truths_at_once() -> None:
    held = np.array([low < 0 < high for low, high in intervals(0, 1, 6, size=8)])
    families = RUNS // 8
    together = np.mean([bool(family.all()) for family in held[: families * 8].reshape(families, 8)])
    assert together > 0.95 - 3 * np.sqrt(0.95 * 0.05 / families)


def test_the_same_against_itself_is_rarely_called_different() -> None:
    found = share(0.0, 0.02, 6, margin=0.0)
    assert found["better"] + found["worse"] < 0.077


def test_a_planted_effect_is_found_with_its_direction() -> None:
    found = share(0.25, 0.05, 6, margin=0.05, size=6)
    assert found["worse"] > 0.95
    assert found["better"] == 0


def test_what_is_equal_within_the_margin_comes_out_equivalent() -> None:
    assert share(0.01, 0.01, 8, margin=0.05, size=4)["equivalent"] > 0.95


def test_what_lies_beyond_the_margin_is_rarely_called_equivalent() -> None:
    assert share(0.055, 0.03, 8, margin=0.05)["equivalent"] < 0.05


def _differs_at_some_look(generator: np.random.Generator, ends: Sequence[int], looks: int) -> bool:
    """Whether who adds blocks until an effect shows ever sees one, where there is none."""
    values = generator.normal(size=ends[-1])
    found = [rules.estimate(values[:end], looks=looks) for end in ends]
    return any((one.low or 0.0) > 0 or (one.high or 0.0) < 0 for one in found)


def test_adding_blocks_until_something_shows_errs_as_often_as_declared_and_more_often_undeclared() -> None:
    generator = np.random.default_rng(11)
    ends = (8, 16, 24)
    declared, undeclared = (
        sum(_differs_at_some_look(generator, ends, looks) for _ in range(RUNS)) / RUNS for looks in (3, 1)
    )
    assert declared < 0.05
    assert undeclared > 0.08, "without a share for each look the same rule would not hold"

"""Arms whose average misleads: at chance level, or with seeds that fall into two heaps."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import results
from results import plots
from results.records.directory import write_record
from results.records.metric import Metric
from results.records.record import Measurement, Outcome, OutcomeDetails, Record
from results.records.resolved_study import Arm, FactorInfo, ResolvedStudy, Workload, write_study
from results.run import Run
from results.verdicts.heaps import two_heaps
from tests.results.report.test_write import page

NEAR, LOW, NOTHING = "norm=group", "norm=none", "norm=broken"
ACCURACIES = {
    "baseline": (0.966, 0.969, 0.972, 0.975, 0.978, 0.980),
    "(control)": (0.964, 0.970, 0.971, 0.974, 0.977, 0.981),
    NEAR: (0.955, 0.963, 0.966, 0.971, 0.974, 0.976),
    LOW: (0.695, 0.702, 0.708, 0.968, 0.972, 0.975),
    NOTHING: (0.097, 0.103, 0.100, 0.111, 0.095, 0.099),
}


@pytest.fixture(scope="module")
def split_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Ten classes, a thousand test images: one arm falls in two, one guesses."""
    changed = (Arm(name, "arm", {"norm": name.partition("=")[2]}) for name in (NEAR, LOW, NOTHING))
    arms = (Arm("baseline", "baseline", {}), Arm("(control)", "control", {}), *changed)
    workload = Workload(
        *("digits", "convergence", "seed", 6, {arm.name: "resnet" for arm in arms}, 32, 64, "fp32", "digits"),
        *("resnet, 32 px", {}),
    )
    metric = Metric(
        *("test_accuracy", "test accuracy", "fraction", "higher", "difference", 0.01, "Share right."),
        headline=True,
    )
    factor = FactorInfo("norm", "behavioural", "", ("batch", "group", "none", "broken"))
    study = ResolvedStudy(
        "two", "Two?", "resnet", "one-at-a-time", 0, (factor,), arms, (workload,), (metric,)
    )
    path = tmp_path_factory.mktemp("runs") / "two"
    write_study(path, study)
    for i, arm in enumerate(arms):
        for seed, accuracy in enumerate(ACCURACIES[arm.name]):
            measured = Measurement(
                "test_accuracy", (accuracy,), "measured", "cpu", mode="train", split="test"
            )
            outcome = Outcome(
                arm.name,
                "resnet",
                {"num_classes": "10"},
                measurements=(measured,),
                details=OutcomeDetails(test_images=1000),
            )
            write_record(
                path, Record(f"t{i}-{seed}", "digits", f"seed-{seed}", "laptop-1", 1, "2026", 1.0, (outcome,))
            )
    return results.load(path)


def row(run: Run, arm: str) -> "pd.Series[Any]":
    effects = run.effects(control=True)
    return effects[effects["arm"] == arm].iloc[0]


def test_seeds_in_two_heaps_are_told_with_how_many_lie_where(split_run: Run) -> None:
    found = row(split_run, LOW)
    low, high = ACCURACIES[LOW][:3], ACCURACIES[LOW][3:]
    assert (found["heap_low"], found["heap_high"]) == pytest.approx((np.mean(low), np.mean(high)))
    assert found["heap_low_n"] == 3
    assert "two heaps: 3 of 6 seeds near 70.2 %, the others near 97.2 %" in found["note"]
    for arm in (NEAR, "(control)", NOTHING):
        assert row(split_run, arm)["heap_low_n"] is pd.NA


def test_an_arm_that_guesses_is_at_chance_level(split_run: Run) -> None:
    # Of 1,000 guesses among ten classes, 97.5 % of the time at most 119 are right.
    assert stats.binom.cdf(119, 1000, 0.1) >= 0.975 > stats.binom.cdf(118, 1000, 0.1)
    assert row(split_run, NOTHING)["at_chance"] == 6
    assert row(split_run, LOW)["at_chance"] == 0
    assert "at chance level in 6 of 6 seeds" in row(split_run, NOTHING)["note"]


def test_both_are_told_in_words_and_shown_as_dots(split_run: Run) -> None:
    report = split_run.report()
    text = " ".join(page(report).text.split())
    assert f"{LOW}: test accuracy: two heaps: 3 of 6 seeds near 70.2 %" in text
    assert f"{NOTHING}: test accuracy: at chance level in 6 of 6 seeds" in text
    assert "[resnet, 32 px, batch 64, fp32, digits]" in text
    assert (report.index.parent / "figures" / "seeds.svg").is_file()
    dots = plots.seeds(split_run.measurements).axes[0].lines
    drawn = sorted(
        float(x) for line in dots if line.get_marker() == "o" for x in np.asarray(line.get_xdata())
    )
    assert drawn == sorted(value for values in ACCURACIES.values() for value in values)


@pytest.mark.parametrize("n", [6, 10, 30])
def test_seeds_of_one_kind_are_rarely_taken_for_two_heaps(n: int) -> None:
    rng = np.random.default_rng(n)
    for sd in (0.005, 0.01, 0.02, 0.04):
        flagged = [
            two_heaps(np.sort(rng.normal(0.9, sd, n)), 0.01, float(rng.normal(0.9, sd, n).std(ddof=1)))
            for _ in range(2_000)
        ]
        assert sum(one is not None for one in flagged) <= 20, f"more than 1 % at sd {sd}"

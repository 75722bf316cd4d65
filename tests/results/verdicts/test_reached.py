"""Shares of seeds that reached their target, by counting, and by statsmodels' own quantiles."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from results.frames.samples import CURVE_COLUMNS
from results.records.resolved_study import ResolvedStudy
from results.verdicts.reached import median, reached, share_reached
from tests.results.planted import BASELINE, ENVIRONMENT, NORM, STEM, Plan, study

WORKLOAD = "digits-32"
GRID = (20, 40, 60)
NEVER = math.inf


def aimed(target: float | None = 0.8) -> ResolvedStudy:
    """The planted study, its trainings with a target."""
    planted = study(Plan())
    workloads = [
        replace(one, settings={**one.settings, "target": target}) if one.name == WORKLOAD else one
        for one in planted.workloads
    ]
    return replace(planted, workloads=tuple(workloads))


def curves_of(events: dict[str, list[float]], metric: str = "validation_accuracy") -> pd.DataFrame:
    """Curves of seeds that are above the target from a step of the grid on."""
    rows = [
        (ENVIRONMENT, WORKLOAD, f"seed-{seed}", arm, "arm", metric, "validation", step, 0.9 * (step >= at))
        for arm, steps in events.items()
        for seed, at in enumerate(steps)
        for step in GRID
    ]
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)


def outcomes_of(diverged: dict[str, int]) -> pd.DataFrame:
    rows = [(ENVIRONMENT, WORKLOAD, arm, "diverged") for arm, count in diverged.items() for _ in range(count)]
    return pd.DataFrame(rows, columns=["environment", "workload", "arm", "status"])


def arm_rows(steps: list[float], missed: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"step": [*steps, *missed], "reached": [True] * len(steps) + [False] * len(missed)})


def test_a_seed_counts_from_the_evaluation_that_finds_it_there() -> None:
    curves = curves_of({BASELINE: [20, 40, NEVER], STEM: [60, 60, 60]})
    found = reached(aimed(), curves, outcomes_of({STEM: 2}))
    base, stem = (found[found["arm"] == arm] for arm in (BASELINE, STEM))
    assert sorted(zip(base["step"], base["reached"], strict=True)) == [(20, True), (40, True), (60, False)]
    assert list(stem["reached"]) == [True] * 3 + [False] * 2
    assert list(stem["diverged"]) == [False] * 3 + [True] * 2
    assert set(stem["step"]) == {60}, "what diverged never gets there: it counts to the end"
    assert list(found["role"].drop_duplicates()) == ["baseline", "arm"]


def test_without_a_target_or_a_score_nobody_reaches_anything() -> None:
    curves = curves_of({BASELINE: [20, 40]})
    assert reached(aimed(None), curves, outcomes_of({})).empty
    assert reached(aimed(), curves_of({BASELINE: [20]}, "train_loss"), outcomes_of({})).empty
    assert len(reached(aimed(), curves, outcomes_of({}))) == 2


def test_without_censoring_before_the_end_the_share_is_a_count() -> None:
    rows = arm_rows([20, 20, 40, 60], [60, 60, 60, 60])
    found = share_reached(rows).set_index("step")
    assert found["share"].to_dict() == pytest.approx({0: 0, 20: 2 / 8, 40: 3 / 8, 60: 4 / 8})
    assert found["missed"].to_dict() == {0: 0, 20: 0, 40: 0, 60: 4}


def test_what_ends_early_weighs_no_more_afterwards() -> None:
    """Kaplan and Meier by hand: of 4, then of 2 that are left, then of 1."""
    found = share_reached(arm_rows([10, 30, 40], [20])).set_index("step")
    survival = {10: 3 / 4, 20: 3 / 4, 30: 3 / 4 * 1 / 2, 40: 0}
    assert found["share"].drop(0.0).to_dict() == pytest.approx({s: 1 - left for s, left in survival.items()})


def test_the_interval_is_greenwoods_on_the_cumulative_hazard() -> None:
    rows = arm_rows([20, 20, 40], [60] * 5)
    found = share_reached(rows).set_index("step").loc[40]
    survival = 5 / 8
    variance = (2 / (8 * 6) + 1 / (6 * 5)) / math.log(survival) ** 2
    ends = [1 - survival ** math.exp(sign * 1.959964 * math.sqrt(variance)) for sign in (-1, 1)]
    assert (found["low"], found["high"]) == pytest.approx(tuple(ends), rel=1e-6)
    assert found["low"] < found["share"] < found["high"]


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_the_share_and_that_of_the_median_are_the_same_band(seed: int) -> None:
    """The median's interval in statsmodels is where the band of the curve holds a half."""
    rng = np.random.default_rng(seed)
    steps = np.sort(rng.integers(1, 12, 14)) * 10.0
    rows = arm_rows(list(steps[:10]), list(steps[10:]))
    found = share_reached(rows).dropna()
    holds = found.loc[(found["low"] <= 0.5) & (found["high"] >= 0.5), "step"]
    low, _ = SurvfuncRight(rows["step"].to_numpy(), rows["reached"].to_numpy().astype(int)).quantile_ci(0.5)
    assert holds.min() == low
    assert median(rows).low == low


def test_the_ends_have_no_interval() -> None:
    found = share_reached(arm_rows([20, 40], [])).set_index("step")
    assert found.loc[[0, 40], ["low", "high"]].isna().all(axis=None)
    assert found.loc[20, ["low", "high"]].notna().all()


@pytest.mark.parametrize(
    ("steps", "missed", "expected"),
    [
        *(([20, 40, 40], [], 40), ([20, 40, 60, 80], [], 40), (list(range(10, 190, 10)), [], 90)),
        *(([20] * 4, [60] * 4, 20), ([20], [60, 60], math.nan), ([], [60, 60], math.nan), ([], [], math.nan)),
    ],
)
def test_the_median_is_where_half_are_there(steps: list[float], missed: list[float], expected: float) -> None:
    assert median(arm_rows(steps, missed)).step == pytest.approx(expected, nan_ok=True)


def test_of_seeds_that_all_missed_the_share_stays_none() -> None:
    found = share_reached(arm_rows([], [60, 60]))
    assert list(found["share"]) == [0, 0]
    assert list(found["missed"]) == [0, 2]


def test_rows_stand_in_the_studys_order() -> None:
    found = reached(aimed(), curves_of({NORM: [20], STEM: [20], BASELINE: [20]}), outcomes_of({}))
    assert list(found["arm"]) == [BASELINE, STEM, NORM]

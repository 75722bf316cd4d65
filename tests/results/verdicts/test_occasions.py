"""Several occasions: what n counts, what intervals then hold for, how much varies from day to day."""

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from statsmodels.formula.api import mixedlm, ols
from statsmodels.stats.anova import anova_lm

import results
from results.run import Run
from results.verdicts import statistics as rules
from results.verdicts.between_occasions import variance
from results.verdicts.occasions import clustered
from tests.results.planted import BASELINE, CONTROL, POOL, STEM, Plan, write_run

BLOCKS, DAYS = 6, 6


def simulated(rng: np.random.Generator, day_sd: float, days: int = DAYS) -> tuple[pd.Series, dict[str, int]]:
    """Contrasts of no effect at all: what a day adds, and what a process adds (1 %)."""
    day = rng.normal(0, day_sd, days)
    values = {
        f"process-{i}@{k}" if k else f"process-{i}": day[k] + rng.normal(0, 0.01)
        for k in range(days)
        for i in range(BLOCKS)
    }
    return pd.Series(values), {name: int(name.partition("@")[2] or 0) for name in values}


def holds_zero(values: NDArray[np.float64]) -> bool:
    found = rules.estimate(values)
    assert found.low is not None
    assert found.high is not None
    return found.low <= 0 <= found.high


@pytest.mark.parametrize("day_sd", [0.0, 0.02])
def test_intervals_hold_the_truth_of_the_machine_as_often_as_they_say_with_occasions_as_units(
    day_sd: float,
) -> None:
    rng, n = np.random.default_rng(5), 400
    by_day = by_process = 0
    for _ in range(n):
        contrasts, occasions = simulated(rng, day_sd)
        by_day += holds_zero(clustered(contrasts, occasions).to_numpy())
        by_process += holds_zero(contrasts.to_numpy())
    assert 0.92 <= by_day / n <= 0.98, "95 %, give or take what 400 runs can tell"
    if day_sd:
        assert by_process / n < 0.75, "n processes pretend to know what few days cannot tell"


def test_below_six_occasions_blocks_stay_what_n_counts() -> None:
    contrasts, occasions = simulated(np.random.default_rng(1), 0.02, days=5)
    pd.testing.assert_series_equal(clustered(contrasts, occasions), contrasts)


@pytest.mark.parametrize("sizes", [(6, 6, 6, 6, 6, 6), (6, 9, 6), (1, 1, 5, 3)])
def test_the_analysis_of_variance_is_that_of_statsmodels(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(sum(sizes))
    groups = [rng.normal(rng.normal(0, 2), 1, size) for size in sizes]
    frame = pd.DataFrame(
        {"y": np.concatenate(groups), "day": np.repeat([f"d{i}" for i in range(len(sizes))], sizes)}
    )
    table = anova_lm(ols("y ~ day", frame).fit())
    found = variance(groups)
    assert found["f"] == pytest.approx(table.loc["day", "F"])
    assert found["p_value"] == pytest.approx(table.loc["day", "PR(>F)"])
    if len(set(sizes)) == 1:  # where all occasions are as large, the component is that of REML
        fitted = mixedlm("y ~ 1", frame, groups="day").fit(reml=True)
        assert found["between_sd"] == pytest.approx(float(fitted.cov_re.iloc[0, 0]) ** 0.5, rel=1e-3)
        assert found["within_se"] == pytest.approx((float(fitted.scale) / sizes[0]) ** 0.5, rel=1e-3)


@pytest.mark.parametrize("groups", [[[1.0, 2.0]], [[1.0], [2.0]], [[1.0, 1.0], [2.0, 2.0]]])
def test_of_too_little_nothing_is_said(groups: list[list[float]]) -> None:
    assert variance([np.array(group) for group in groups]) == {}


def planted(folder: pytest.TempPathFactory, **given: float) -> Run:
    plan = Plan(seeds=1, rounds=3, **given)  # type: ignore[arg-type]
    return results.load(write_run(folder.mktemp("occasions") / "run", plan))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return planted(tmp_path_factory, occasions=3, occasion_sd=0.05)


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return planted(tmp_path_factory, occasions=6, occasion_sd=0.05)


def timed(run: Run, arm: str) -> dict[Hashable, Any]:
    rows = run.effects()
    rows = rows[(rows["metric"] == "step_seconds") & (rows["mode"] == "train") & (rows["arm"] == arm)]
    (row,) = rows.to_dict("records")
    return row


def log_ratios(run: Run, arm: str) -> pd.Series:
    """By occasion and block, from the raw samples alone: the median over rounds."""
    samples = run.measurements
    samples = samples[(samples["metric"] == "step_seconds") & (samples["mode"] == "train")]
    wide = samples.pivot_table(index=["occasion", "block", "round"], columns="arm", values="value")
    ratios: pd.Series = (wide[arm] / wide[BASELINE]).map(math.log)
    return ratios.groupby(["occasion", "block"]).median()


def test_on_a_few_occasions_their_blocks_are_blocks_of_their_own(three: Run) -> None:
    row, ratios = timed(three, STEM), log_ratios(three, STEM)
    assert len(ratios) == 18
    assert (row["n"], row["block_unit"]) == (18, "process")
    assert row["effect"] == pytest.approx(np.exp(ratios.mean()))
    trials = three.trials()
    assert set(trials[trials["workload"] == "throughput-64"]["occasion"]) == {0, 1, 2}
    assert set(trials[trials["workload"] != "throughput-64"]["occasion"]) == {0}


def test_from_six_occasions_on_the_occasion_is_what_n_counts(six: Run) -> None:
    for arm in (STEM, POOL):
        row, days = timed(six, arm), log_ratios(six, arm).groupby("occasion").mean()
        assert (row["n"], row["block_unit"]) == (6, "occasion")
        assert row["effect"] == pytest.approx(np.exp(days.mean()))
        assert row["value"] / row["baseline_value"] == pytest.approx(row["effect"], rel=0.01)
    memory = six.effects().query("metric == 'peak_bytes'")
    assert set(memory["block_unit"]) == {"exact"}, "what does not vary with the day is as before"


def test_what_was_lost_is_counted_in_processes_all_the_same(six: Run) -> None:
    rows = six.effects()
    lost = rows[(rows["arm"] == "width=huge") & (rows["workload"] == "throughput-64")]
    assert set(lost["note"]) == {
        "width=huge: out of memory in all 36 processes (needs 96 GiB, 24 GiB are free)"
    }


def test_how_much_varies_between_occasions_is_found_again(six: Run, run: Run) -> None:
    table = six.analysis.occasions
    rows = {row["arm"]: row for row in table[table["mode"] == "train"].to_dict("records")}
    for arm in (CONTROL, STEM):
        row = rows[arm]
        groups = [group.to_numpy() for _, group in log_ratios(six, arm).groupby("occasion")]
        assert row["f"] == pytest.approx(variance(groups)["f"])
        # Two arms with 5 % each: a ratio has 7 %, which six days know to within a factor of about two.
        assert 0.03 < row["between_sd"] < 0.15
        assert row["within_se"] < 0.01
        assert row["verdict"] == "disagree"
    assert set(table["population"]) == {"this machine"}
    assert set(table["hours_apart"]) == {24.0}
    once = run.analysis.occasions
    assert set(once["population"]) == {"this machine on this occasion"}
    assert set(once["verdict"]) == {"too few"}


def test_occasions_that_agree_are_not_told_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    table = planted(tmp_path_factory, occasions=3).analysis.occasions
    told = table[~table["arm"].isin([BASELINE, "width=huge"])]
    assert set(told["verdict"]) == {"agree"}
    assert set(told["population"]) == {"this machine on these 3 occasions"}

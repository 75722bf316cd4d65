"""What a run's own timing says of its timing: against planted effects, plain numpy, scipy and statsmodels."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.typing import NDArray
from scipy import stats

import results
from results.frames import samples, stretches
from results.records.record import Measurement, Outcome, Record
from results.verdicts import order_effects
from results.verdicts.diagnostics import diagnostics
from results.verdicts.order_effects import Succession, place_effect, succession
from tests.results.planted_timing import SECONDS, TimingPlan, write_timed_run

Array = NDArray[np.float64]
FEW_ORDERS = 999


def timed(rng: np.random.Generator, processes: int, arms: int, slower: float) -> tuple[Array, Array]:
    """Logarithms of times with a spread of 0.5 %, the first place slower, and who was first."""
    first = np.zeros((processes, arms))
    first[np.arange(processes), rng.integers(arms, size=processes)] = 1
    levels = rng.normal(0, 0.3, arms) + rng.normal(0, 0.05, (processes, 1))
    return levels + slower * first + rng.normal(0, 0.005, (processes, arms)), first


def autoregressive(rng: np.random.Generator, rho: float, processes: int, arms: int) -> Array:
    """Contrasts of `arms` with a baseline, each of which remembers the process before."""
    noise = rng.normal(size=(processes, arms + 1))
    found = noise.copy()
    for i in range(1, processes):
        found[i] = rho * found[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return found[:, 1:] - found[:, :1]


def in_time(contrasts: Array, occasions: Iterable[int] | None = None) -> Succession:
    found = succession(contrasts, np.array(occasions or [0] * len(contrasts)))
    assert found is not None
    return found


def test_a_planted_place_effect_of_one_percent_is_found_and_sized() -> None:
    rng = np.random.default_rng(1)
    found = [place_effect(*timed(rng, 12, 5, 0.01)) for _ in range(300)]
    known = [one for one in found if one and one.low_alone is not None and one.high_alone is not None]
    assert len(known) == 300
    assert np.mean([one.mean for one in known]) == pytest.approx(0.01, abs=0.0004)
    covered = [(one.low_alone or 0) <= 0.01 <= (one.high_alone or 0) for one in known]
    assert 0.92 <= np.mean(covered) <= 0.98, "95 %, give or take what 300 runs can tell"
    assert np.mean([(one.p or 0) < 0.01 for one in known]) > 0.95


def test_a_place_effect_is_that_of_least_squares_with_levels_of_arms_and_processes() -> None:
    rng = np.random.default_rng(2)
    times, _ = timed(rng, 10, 5, 0.0)
    first = np.tile(np.eye(5), (2, 1))
    times += 0.02 * first
    frame = pd.DataFrame(
        [(times[i, j], first[i, j], i, j) for i in range(10) for j in range(5)],
        columns=["time", "first", "process", "arm"],
    )
    fitted = smf.ols("time ~ first + C(process) + C(arm)", frame).fit()
    found = place_effect(times, first)
    assert found is not None
    assert found.mean == pytest.approx(fitted.params["first"])
    assert found.n == 10


@pytest.mark.parametrize(("processes", "arms"), [(6, 3), (12, 4)])
def test_without_a_place_effect_one_is_seen_as_rarely_as_stated_also_where_arms_are_missing(
    processes: int, arms: int
) -> None:
    rng, n, seen, made = np.random.default_rng(3), 600, 0, 0
    for _ in range(n):
        times, first = timed(rng, processes, arms, 0.0)
        times[processes // 2 :, 0] = np.nan
        found = place_effect(times, first)
        made += found is not None
        seen += found is not None and (found.p or 0) < 0.05
    assert made > 0.7 * n
    assert 0.02 <= seen / made <= 0.075


def test_who_is_always_first_tells_nothing_of_places() -> None:
    times, first = timed(np.random.default_rng(4), 12, 3, 0.01)
    always = np.zeros_like(first)
    always[:, 1] = 1
    assert place_effect(times, always) is None
    assert place_effect(times, np.full_like(first, np.nan)) is None
    assert place_effect(times[:5], first[:5]) is None


def test_processes_that_remember_the_one_before_are_seen_in_most_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_effects, "ORDERS", FEW_ORDERS)
    rng = np.random.default_rng(5)
    found = [in_time(autoregressive(rng, 0.5, 16, 10)) for _ in range(150)]
    assert np.mean([one.correlation_p < 0.01 for one in found]) > 0.6
    assert 0.3 < np.mean([one.correlation for one in found]) < 0.5, "a short series tells it too small"


def test_independent_processes_are_seen_as_alike_or_drifting_as_rarely_as_stated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where arms ended early, one was lost, and a second occasion is another level."""
    monkeypatch.setattr(order_effects, "ORDERS", FEW_ORDERS)
    rng, found = np.random.default_rng(6), []
    for _ in range(500):
        contrasts = autoregressive(rng, 0.0, 18, 6)
        contrasts[10:] += rng.normal(0, 3, 6)
        contrasts[7:, 3:] = np.nan
        contrasts[5, 2] = np.nan
        found.append(in_time(contrasts, [0] * 10 + [1] * 8))
    for p_values in ([one.correlation_p for one in found], [one.drift_p for one in found]):
        assert 0.03 <= np.mean(np.array(p_values) < 0.05) <= 0.075
        assert np.mean(np.array(p_values) < 0.01) <= 0.025
    assert np.mean([one.correlation for one in found]) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("occasions", [[0] * 7, [0] * 4 + [1] * 3])
def test_p_values_are_those_of_all_orders_there_are(occasions: list[int]) -> None:
    contrasts = autoregressive(np.random.default_rng(7), 0.6, 7, 3)
    days = [np.flatnonzero(np.array(occasions) == day) for day in sorted(set(occasions))]
    time = np.concatenate([day - day.mean() for day in days])
    scaled = np.concatenate([contrasts[day] - contrasts[day].mean(axis=0) for day in days])
    scaled /= np.sqrt((scaled**2).mean(axis=0))

    def statistics(order: list[int]) -> tuple[float, float]:
        moved = scaled[order]
        alike = sum(float(moved[i] @ moved[i + 1]) for i in range(6) if occasions[i] == occasions[i + 1])
        trend = max(float(np.corrcoef(time, moved[:, k])[0, 1]) ** 2 for k in range(3))
        return alike, trend

    own = statistics(list(range(7)))
    within = itertools.product(*(itertools.permutations(day.tolist()) for day in days))
    every = np.array([statistics([i for part in order for i in part]) for order in within])
    expected = np.mean(every >= np.array(own) - 1e-9, axis=0)
    found = in_time(contrasts, occasions)
    assert found.correlation_p == pytest.approx(expected[0], abs=0.015)
    assert found.drift_p == pytest.approx(expected[1], abs=0.015)
    assert found.correlation == pytest.approx((own[0] - every[:, 0].mean()) / 21, abs=0.005)


def test_no_p_value_is_zero() -> None:
    assert in_time(np.arange(12.0)[:, None]).drift_p == pytest.approx(1e-4, abs=1e-4)
    assert in_time(np.arange(12.0)[:, None]).drift_p > 0


def test_a_planted_drift_is_found_and_sized() -> None:
    contrasts = 0.01 * autoregressive(np.random.default_rng(8), 0.0, 12, 4)
    contrasts[:, 2] += np.linspace(0, -0.08, 12)
    found = in_time(contrasts)
    assert found.drift_p < 0.01
    assert found.clearest == 2
    for k in range(4):
        line = stats.linregress(np.arange(12), contrasts[:, k])
        assert found.drifts[k] == pytest.approx(11 * line.slope)


def test_a_step_between_occasions_is_no_drift() -> None:
    contrasts = 0.01 * autoregressive(np.random.default_rng(9), 0.0, 16, 4)
    contrasts[8:] += 0.2
    assert in_time(contrasts).drift_p < 0.001
    assert in_time(contrasts, [0] * 8 + [1] * 8).drift_p > 0.05
    assert in_time(contrasts, [0] * 8 + [1] * 8).correlation_p > 0.05


def placed(records: Iterable[Record], slower: float) -> Iterator[Record]:
    """As if arms had been built and warmed up in an order drawn by process, the one built first slower."""
    rng = np.random.default_rng(10)
    for record in records:
        built, warmed_up = (rng.permutation(len(record.outcomes)).tolist() for _ in range(2))
        outcomes = [
            _at(outcome, place, second, slower)
            for outcome, place, second in zip(record.outcomes, built, warmed_up, strict=True)
        ]
        yield replace(record, outcomes=tuple(outcomes))


def _at(outcome: Outcome, built: int, warmed_up: int, slower: float) -> Outcome:
    factor = 1 + slower if built == 0 else 1.0

    def taken(one: Measurement) -> Measurement:
        scale = factor if one.metric in SECONDS else 1 / factor
        return replace(one, values=tuple(scale * value for value in one.values))

    details = outcome.details.copy()
    details["built"] = built
    details["timing"] = {
        mode: {**timing, "warmed_up": warmed_up} for mode, timing in details.get("timing", {}).items()
    }
    return replace(outcome, details=details, measurements=tuple(map(taken, outcome.measurements)))


def told(path: Path, slower: float | None) -> pd.DataFrame:
    run = results.load(write_timed_run(path, TimingPlan(processes=16, rounds=8))).analysis
    records = list(run.records if slower is None else placed(run.records, slower))
    series, outcomes = samples.series(run.study, records), samples.outcomes(run.study, records)
    return diagnostics(run.study, series, outcomes, stretches.timed_arms(run.study, records))


def test_what_is_built_first_is_told_of_time_and_of_rates_wherever_arms_share_a_process(
    tmp_path: Path,
) -> None:
    found = told(tmp_path / "run", 0.04)
    built = found[found["check"] == "built"]
    timed = {"speed", "speed-batch-8", "speed-batch-128", "speed-4GiB"}
    assert set(zip(built["workload"], built["mode"], strict=True)) == set(
        itertools.product(timed, ("train", "inference"))
    )
    assert set(built["metric"]) == {"step_seconds", "images_per_second"}
    assert built["estimate"].to_numpy() == pytest.approx(0.04, abs=0.015)
    assert (built["ci_low"] < built["estimate"]).all()
    assert built["matters"].all()
    assert (built["first_to_last"] > 0).all()
    assert not found[found["check"] == "warmed_up"]["matters"].any()


def test_records_of_old_without_places_have_no_row_of_them_but_all_others(tmp_path: Path) -> None:
    found = told(tmp_path / "run", None)
    assert set(found["check"]) == {"neighbours", "drift", "between_process_share"}
    assert set(found["workload"]) == {"speed", "speed-batch-8", "speed-batch-128", "speed-4GiB"}
    assert (found["n"] == 16).all(), "the five processes of the spot check are too few"
    assert not found["matters"].any()


def test_shares_tell_processes_from_rounds(tmp_path: Path) -> None:
    """A process adds 1 % to each of two arms, a round 0.4 %: see `planted_timing`."""
    found = told(tmp_path / "run", None)
    rows = found[(found["check"] == "between_process_share") & (found["workload"] == "speed")]
    assert len(rows) == 2
    assert rows["between_process_sd"].to_numpy() == pytest.approx(0.01 * 2**0.5, rel=0.35)
    # The median of rounds that are normal scatters by a factor of 1.57 in variance.
    assert rows["between_round_sd"].to_numpy() == pytest.approx(0.004 * (2 * 1.57) ** 0.5, rel=0.35)
    assert (rows["estimate"] > 0.8).all()
    assert rows["rounds"].to_list() == [8, 8]


def test_a_run_without_any_effect_has_little_that_matters(tmp_path: Path) -> None:
    assert not told(tmp_path / "run", 0.0)["matters"].any()

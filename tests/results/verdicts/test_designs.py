"""Main effects and interactions of designs, against regression (statsmodels) and the truths planted."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pydoe
import pytest
import statsmodels.formula.api as smf

import results
from results.records.directory import read_record, write_record
from results.records.record import OutcomeDetails
from results.records.resolved_study import write_study
from results.run import Run
from results.verdicts.designs import alias_table, design_contrasts
from tests.results import planted_factorial as planted
from tests.results.planted_factorial import ACCURACY, CHANGES, MEMORY, NAMES, TIME, Planted


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Run:
    plan = Planted("full-factorial", planted.whole())
    return results.load(planted.write_run(tmp_path_factory.mktemp("full") / "run", plan))


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Run:
    plan = Planted("fractional-factorial", planted.half(), seed=6)
    return results.load(planted.write_run(tmp_path_factory.mktemp("half") / "run", plan))


def of(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    return frame[frame["metric"] == metric].set_index("arm")


def number(frame: pd.DataFrame, arm: str, column: str = "effect") -> float:
    return float(frame[column].to_dict()[arm])


def holds(frame: pd.DataFrame, arm: str, true: float) -> bool:
    """Whether the interval of a row covers the truth."""
    return number(frame, arm, "ci_low") - 1e-9 <= true <= number(frame, arm, "ci_high") + 1e-9


def averaged(truth: dict[tuple[str, ...], float], *factors: str) -> float:
    """A main effect or an interaction averaged over the other factors, half of which are changed."""
    return sum(
        size * 0.5 ** (len(key) - len(factors)) for key, size in truth.items() if set(factors) <= set(key)
    )


def regression(run: Run, metric: str, workload: str) -> dict[frozenset[str], float]:
    """Coefficients of a regression on all columns of signs, by the factors of each."""
    rows = run.measurements.query("metric == @metric and workload == @workload and role != 'control'")
    changes = {arm.name: arm.changes for arm in run.analysis.study.arms}
    table = pd.DataFrame({name: [1 if name in changes[a] else -1 for a in rows["arm"]] for name in NAMES})
    table["y"] = rows["value"].to_numpy() if metric == "test_accuracy" else np.log(rows["value"].to_numpy())
    model = smf.ols("y ~ (norm + pool + relu + stem) ** 4", table).fit()
    return {frozenset(name.split(":")): float(value) for name, value in model.params.items()}


@pytest.mark.parametrize(
    ("metric", "workload"),
    [("peak_bytes", "memory"), ("step_seconds", "throughput"), ("test_accuracy", "convergence")],
)
def test_main_effects_and_interactions_are_those_of_a_regression(
    full: Run, metric: str, workload: str
) -> None:
    found, pairs = of(full.main_effects(), metric), of(full.interactions(), metric)
    expected = regression(full, metric, workload)
    scale = float if metric == "test_accuracy" else math.log
    tolerance = 2e-3 if metric == "step_seconds" else 1e-9  # medians of rounds here, means there
    for name in NAMES:
        effect = scale(number(found, CHANGES[name]))
        assert effect == pytest.approx(2 * expected[frozenset([name])], abs=tolerance)
    for pair in itertools.combinations(NAMES, 2):
        effect = scale(number(pairs, planted.name_of(pair)))
        assert effect == pytest.approx(4 * expected[frozenset(pair)], abs=tolerance)


@pytest.mark.parametrize(
    ("metric", "truth"), [("peak_bytes", MEMORY), ("step_seconds", TIME), ("test_accuracy", ACCURACY)]
)
def test_a_whole_factorial_and_its_half_agree_on_main_effects(
    full: Run, half: Run, metric: str, truth: dict[tuple[str, ...], float]
) -> None:
    one, other = (of(run.main_effects(), metric) for run in (full, half))
    assert list(one.index) == list(other.index) == [CHANGES[name] for name in NAMES]
    assert list(one["verdict"]) == list(other["verdict"])
    for name in NAMES:
        true = averaged(truth, name)
        true = true if metric == "test_accuracy" else math.exp(true)
        assert holds(one, CHANGES[name], true)
        assert holds(other, CHANGES[name], true)
    assert (one["ci_low"] <= other["ci_high"] + 1e-9).all()
    assert (other["ci_low"] <= one["ci_high"] + 1e-9).all()


def test_arms_main_effects_and_interactions_are_families_of_their_own(full: Run) -> None:
    frames = (full.effects().query("factor != '(control)'"), full.main_effects(), full.interactions())
    rows = [of(frame, "step_seconds") for frame in frames]
    assert [set(one["comparisons"]) for one in rows] == [{15}, {4}, {6}]
    assert len({family for one in rows for family in one["family"]}) == 3


def test_what_cancels_is_nothing_where_one_trial_decides(full: Run, half: Run) -> None:
    for run in (full, half):
        rows = of(run.main_effects(), "peak_bytes").loc[[CHANGES["norm"], CHANGES["pool"]]]
        assert (rows["effect"] == 1.0).all(), "not to the last digit alone"


def test_what_a_half_cannot_tell_apart_is_not_claimed(full: Run, half: Run) -> None:
    told, aliased = full.interactions(), half.interactions()
    assert set(aliased["verdict"]) == {"inconclusive"}
    assert set(aliased["cause"]) == {"aliased"}
    rows, one, twin = (
        of(aliased, "step_seconds"),
        *(planted.name_of(p) for p in (("norm", "stem"), ("pool", "relu"))),
    )
    assert rows["aliases"].to_dict()[one] == "pool x relu"
    assert "cannot tell it from pool x relu" in rows["note"].to_dict()[one]
    assert number(rows, one) == pytest.approx(number(rows, twin)), "one column of signs, one number"
    known, pair = of(told, "step_seconds"), planted.name_of(("norm", "stem"))
    assert known["verdict"].to_dict()[pair] == "worse"
    assert holds(known, pair, math.exp(TIME["norm", "stem"]))


@pytest.mark.parametrize(("count", "resolution"), [(3, 3), (4, 4), (5, 3), (5, 5), (6, 4), (7, 3)])
def test_aliases_are_those_that_pydoe_lists(count: int, resolution: int) -> None:
    names = tuple("abcdefg"[:count])
    as_listed = pydoe.fracfact_by_res(count, resolution)
    signs = as_listed * -as_listed[0]  # the mirror image that holds the baseline
    arms = [tuple(n for n, sign in zip(names, row, strict=True) if sign > 0) for row in signs]
    plan = Planted("fractional-factorial", planted.half())
    one = planted.study(plan)
    factors = tuple(replace(one.factors[0], name=name, levels=("usual", "new")) for name in names)
    told = tuple(
        replace(one.arms[2], name="".join(arm) or "baseline", changes=dict.fromkeys(arm, "new"))
        for arm in arms
        if arm
    )
    study = replace(one, factors=factors, arms=(*one.arms[:2], *told), workloads=())
    lines, _ = pydoe.fracfact_aliasing(as_listed)
    expected = {
        frozenset(word for word in line.split(" = ") if len(word) <= 3)
        for line in lines
        if min(map(len, line.split(" = "))) <= 2
    }
    ours = [[word.replace(" x ", "") for word in group] for group in alias_table(study)]
    assert {frozenset(word.lstrip("−") for word in group) for group in ours} == expected
    for first, *others in ours:  # nothing is changed in the baseline: a product's sign is that of its length
        assert all(word.startswith("−") == (len(word.lstrip("−")) - len(first)) % 2 for word in others)
    contrasts = {c.name: c for c in design_contrasts(study)}
    for group in expected:
        short = {word for word in group if len(word) <= 2}
        for word in short:
            name = ",".join(f"{factor}=new" for factor in word)
            assert set(contrasts[name].aliases) == {" x ".join(o) for o in short - {word}}


def test_an_arm_that_ran_out_of_memory_takes_its_pairs_with_it_and_no_others(tmp_path: Path) -> None:
    lost = ("norm", "pool", "stem")
    plan = Planted("full-factorial", planted.whole(), lost=frozenset({lost}), processes=6, seeds=6)
    run = results.load(planted.write_run(tmp_path / "run", plan))
    memory = of(run.main_effects(), "peak_bytes")
    assert list(memory["sets"]) == [7] * 4
    assert list(memory["sets_planned"]) == [8] * 4
    assert "averaged over 7 of 8 pairs" in memory["note"].iloc[0]
    changed = [c for c in planted.whole() if "stem" in c and c != lost]
    left = [tuple(n for n in c if n != "stem") for c in changed]
    expected = np.mean(
        [planted.total(MEMORY, c) - planted.total(MEMORY, o) for c, o in zip(changed, left, strict=True)]
    )
    pairs = [(c, o) for c, o in zip(changed, left, strict=True) if lost not in (c, o)]
    assert len(pairs) == 7
    assert math.log(number(memory, CHANGES["stem"])) == pytest.approx(expected)


def test_a_change_that_shares_its_column_with_a_pair_is_told_with_no_sum_of_both(tmp_path: Path) -> None:
    """Of resolution III: stem alone was planted, and its column is that of -(norm x pool) / 2."""
    names = ("norm", "pool", "stem")
    arms = [(), ("norm", "pool"), ("norm", "stem"), ("pool", "stem")]
    plan = Planted("fractional-factorial", arms, names, time={("stem",): 0.2})
    run = results.load(planted.write_run(tmp_path / "run", plan))
    main, pairs = of(run.main_effects(), "step_seconds"), of(run.interactions(), "step_seconds")
    assert set(main["cause"]) == {"aliased"}
    assert holds(main, CHANGES["stem"], math.exp(0.2))
    assert holds(pairs, planted.name_of(("norm", "pool")), math.exp(-2 * 0.2)), "twice, and turned"
    assert "as the sum of" not in run.report().document.sections[1].parts.__repr__()


def test_blocks_that_an_arm_lost_are_lost_to_value_and_baseline_too(tmp_path: Path) -> None:
    path = planted.write_run(tmp_path / "run", Planted("full-factorial", planted.whole(NAMES[:2]), NAMES[:2]))
    (file,) = (path / "records").glob("throughput-all-process-3-*")
    record = read_record(file)
    lost = replace(record.outcomes[2], status="out_of_memory", reason="planted", measurements=())
    kept = (*record.outcomes[:2], lost, *record.outcomes[3:])
    file.unlink()
    write_record(path, replace(record, outcomes=kept))
    rows = of(results.load(path).main_effects(), "step_seconds")
    assert set(rows["n"]) == {7}
    for name in rows.index:
        value, baseline = (number(rows, name, column) for column in ("value", "baseline_value"))
        assert value / baseline == pytest.approx(number(rows, name), rel=2e-3)


def slipped(tmp_path: Path, slip: float) -> Run:
    """A factorial whose `relu` is equivalent; with a slip trainings of two changes differ by that much."""
    plan = Planted("full-factorial", planted.whole(("relu", "stem")), ("relu", "stem"), seeds=6)
    path = planted.write_run(tmp_path / str(slip), plan)
    study = planted.study(plan)
    factors = tuple(replace(f, kind="equivalent") if f.name == "relu" else f for f in study.factors)
    write_study(path, replace(study, factors=factors))
    same = {CHANGES["relu"]: "baseline", planted.name_of(("relu", "stem")): CHANGES["stem"]}
    known: dict[tuple[str, str], float] = {}
    for file in sorted((path / "records").glob("convergence-*")):
        record = read_record(file)
        outcome = record.outcomes[0]
        known[outcome.arm, record.block] = outcome.measurements[0].values[0]
    for file in sorted((path / "records").glob("convergence-*")):
        record = read_record(file)
        outcome = record.outcomes[0]
        if outcome.arm in same:
            value = known[same[outcome.arm], record.block] + (slip if "stem" in outcome.arm else 0.0)
            measured = (replace(outcome.measurements[0], values=(value,)),)
            file.unlink()
            write_record(path, replace(record, outcomes=(replace(outcome, measurements=measured),)))
    return results.load(path)


def test_equivalent_factors_match_bit_for_bit_whatever_else_is_changed(tmp_path: Path) -> None:
    relu = CHANGES["relu"]
    for slip, verdict in ((0.0, "equivalent"), (1e-9, "invalid")):
        rows = of(slipped(tmp_path, slip).main_effects(), "test_accuracy")
        assert rows["verdict"].to_dict()[relu] == verdict
        assert bool(rows["identical"].to_dict()[relu]) == (slip == 0)
        if slip == 0:
            assert number(rows, relu, "ci_low") == number(rows, relu, "ci_high") == 0, "block by block"


def test_a_factor_that_does_nothing_wherever_it_is_changed_is_inert(tmp_path: Path) -> None:
    path = planted.write_run(tmp_path / "run", Planted("full-factorial", planted.whole(NAMES[:2]), NAMES[:2]))
    for file in sorted((path / "records").glob("memory-*")):
        record = read_record(file)
        outcome = record.outcomes[0]
        details = OutcomeDetails(fingerprint="norm" if "norm" in outcome.arm else "none")
        file.unlink()
        write_record(path, replace(record, outcomes=(replace(outcome, details=details),)))
    run = results.load(path)
    inert = of(run.main_effects(), "step_seconds")["inert"].to_dict()
    assert inert == {CHANGES["norm"]: False, CHANGES["pool"]: True}
    assert set(run.interactions()["inert"]) == {True}


def test_both_at_once_sets_a_change_in_company_beside_the_change_alone(tmp_path: Path) -> None:
    every = tuple(NAMES)
    arms = [(), *((n,) for n in NAMES), every, *(tuple(o for o in NAMES if o != n) for n in NAMES)]
    plan = Planted("both-at-once", arms)
    run = results.load(planted.write_run(tmp_path / "run", plan))
    found, beyond = of(run.main_effects(), "step_seconds"), of(run.interactions(), "step_seconds")
    name = f"{CHANGES['stem']} in company"
    expected = planted.total(TIME, every) - planted.total(TIME, [n for n in NAMES if n != "stem"])
    assert holds(found, name, math.exp(expected))
    assert found["verdict"].to_dict()[name] == "worse"
    assert holds(beyond, name, math.exp(expected - TIME["stem",]))


def test_quiet_factors_stay_quiet_in_a_factorial(tmp_path: Path) -> None:
    """Of 40 runs without any effect in time at most a few claim one: families hold at 5 % each."""
    claims = 0
    for seed in range(40):
        plan = Planted(
            *("full-factorial", planted.whole(NAMES[:3]), NAMES[:3]),
            processes=6, seeds=1, seed=100 + seed, time={},
        )  # fmt: skip
        run = results.load(planted.write_run(tmp_path / str(seed), plan))
        rows = pd.concat([run.main_effects(), run.interactions()]).query("metric == 'step_seconds'")
        outside = (rows["ci_low"] > 1) | (rows["ci_high"] < 1)
        claims += int(outside.any())
    assert claims <= 10, "two families of 5 % each: 4 of 40 expected, 10 is beyond 99.5 %"

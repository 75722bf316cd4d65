import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import results
from results.records import resolved_study
from results.records.directory import read_record, write_record
from results.records.record import Measurement, OutcomeDetails, Record
from results.run import Run
from tests.results import planted
from tests.results.planted import (
    BASELINE,
    BOTH,
    CONTROL,
    HUGE,
    MEMORY,
    NORM,
    POOL,
    RELU,
    STEM,
    Plan,
    write_run,
)


def row(run: Run, arm: str, metric: str, **where: Any) -> pd.Series:
    effects = run.effects(control=True)
    mask = (effects["arm"] == arm) & (effects["metric"] == metric)
    for name, value in where.items():
        mask &= effects[name] == value
    found = effects[mask]
    assert len(found) == 1, f"{len(found)} rows for {arm}, {metric}, {where}"
    return found.iloc[0]


def samples(run: Run, metric: str, arm: str, **where: Any) -> pd.DataFrame:
    frame = run.measurements
    mask = (frame["arm"] == arm) & (frame["metric"] == metric)
    for name, value in where.items():
        mask &= frame[name] == value
    return frame[mask].set_index(["block", "round"])["value"].to_frame()


def block_medians(values: Any) -> "pd.Series[float]":
    return pd.Series(values).groupby("block").median()


def test_exact_effects_are_the_planted_ratios_and_carry_no_p_value(run: Run) -> None:
    for arm, ratio in MEMORY.items():
        found = row(run, arm, "peak_bytes", mode="train", source="simulated")
        assert found["effect"] == pytest.approx(ratio, rel=1e-9)
        assert found["ci_low"] == found["ci_high"] == found["effect"]
        assert found["n"] == 1
        assert math.isnan(found["p_value"])
        assert "exact" in found["note"]
    assert row(run, STEM, "peak_bytes", mode="train", source="simulated")["verdict"] == "worse"
    assert row(run, NORM, "peak_bytes", mode="train", source="simulated")["verdict"] == "better"
    assert row(run, POOL, "peak_bytes", mode="train", source="simulated")["verdict"] == "equivalent"


def test_an_exact_value_stays_what_it_is_to_the_last_byte(run: Run) -> None:
    found = row(run, STEM, "peak_bytes", mode="train", source="measured")
    assert found["baseline_value"] == round(6 * 2**30 * 1.1)
    assert found["value"] == round(6 * 2**30 * 1.1 * 1.31)


def test_a_ratio_of_zeros_is_no_change(run: Run) -> None:
    found = row(run, STEM, "saved_bytes", mode="inference")
    assert (found["effect"], found["verdict"]) == (1.0, "equivalent")


def test_the_effect_on_time_is_the_mean_of_medians_of_paired_log_ratios(run: Run) -> None:
    arm, baseline = (samples(run, "step_seconds", name, mode="train") for name in (STEM, BASELINE))
    logs = block_medians(np.log(arm["value"] / baseline["value"]))
    others = 6  # the arms of the study, also the one that ran out of memory
    found = row(run, STEM, "step_seconds", mode="train")
    assert found["effect"] == pytest.approx(np.exp(logs.mean()))
    error = found["sd"] / math.sqrt(6)
    alone = stats.t.ppf(0.975, found["freedom"]) * error
    assert found["ci_low_unadjusted"] == pytest.approx(np.exp(logs.mean() - alone))
    reach = np.log(found["ci_high"] / found["effect"]) / error
    dunnett = [
        stats.multivariate_t(shape=np.full((others,) * 2, r) + (1 - r) * np.eye(others), df=found["freedom"])
        for r in (0.0, 0.5)
    ]
    sides = [one.cdf(np.full(others, reach), lower_limit=np.full(others, -reach)) for one in dunnett]
    assert sides[0] - 0.005 <= 0.95 <= sides[1] + 0.005, "of arms that share a baseline more or less"
    assert found["n"] == 6, "processes, not rounds"
    assert found["verdict"] == "worse"


def test_the_spread_of_what_is_timed_is_that_of_arms_which_are_alike(run: Run) -> None:
    """Five of the planted arms scatter by 1 %, the pool by 6 %."""
    found = {arm: row(run, arm, "step_seconds", mode="train") for arm in (CONTROL, STEM, NORM, RELU, BOTH)}
    own = {
        arm: block_medians(
            np.log(
                samples(run, "step_seconds", arm, mode="train")["value"]
                / samples(run, "step_seconds", BASELINE, mode="train")["value"]
            )
        ).var(ddof=1)
        for arm in found
    }
    drawn = {arm: one["sd"] ** 2 for arm, one in found.items()}
    assert np.ptp(list(drawn.values())) < np.ptp(list(own.values())), "drawn towards each other"
    assert min(own.values()) <= min(drawn.values()) <= max(drawn.values()) <= max(own.values())
    assert all(one["freedom"] > 5 for one in found.values())
    pool = row(run, POOL, "step_seconds", mode="train")
    assert (pool["freedom"], pool["sd"] > 0.03) == (5, True), "left to itself"


def test_the_effect_on_accuracy_is_a_paired_difference_over_seeds(run: Run) -> None:
    arm, baseline = (samples(run, "test_accuracy", name) for name in (STEM, BASELINE))
    difference = (arm["value"] - baseline["value"]).to_numpy()
    found = row(run, STEM, "test_accuracy")
    assert found["effect"] == pytest.approx(difference.mean())
    assert found["sd"] == pytest.approx(difference.std(ddof=1))
    assert found["correlation"] == pytest.approx(np.corrcoef(arm["value"], baseline["value"])[0, 1])
    assert (found["n"], found["block_unit"], found["verdict"]) == (8, "seed", "better")


def test_planted_truths_come_out_with_their_verdicts(run: Run) -> None:
    assert row(run, NORM, "step_seconds", mode="train")["verdict"] == "better"
    assert row(run, RELU, "step_seconds", mode="train")["verdict"] == "equivalent"
    assert row(run, NORM, "test_accuracy")["verdict"] == "worse"
    assert row(run, BOTH, "test_accuracy")["verdict"] == "equivalent"
    assert row(run, CONTROL, "step_seconds", mode="train")["verdict"] not in {"better", "worse", "invalid"}


def test_an_undecided_row_says_how_many_blocks_its_spread_asks_for(run: Run) -> None:
    found = row(run, POOL, "step_seconds", mode="train")
    assert found["verdict"] == "inconclusive"
    reach = f"{found['n_needed_low']} to {found['n_needed_high']} processes in all"
    assert found["note"] == f"n needed: {reach}, from the spread alone"


def test_pairs_with_a_diverged_member_are_left_out_and_counted(run: Run) -> None:
    found = row(run, NORM, "test_accuracy")
    assert found["n"] == 6
    assert "diverged in 2 of 8 seeds (seed-2, seed-5), left out of the average" in found["note"]
    diverged = row(run, NORM, "diverged_fraction")
    assert (diverged["value"], diverged["baseline_value"], diverged["n"]) == (0.25, 0.0, 8)
    assert "2 of 8 seeds (exact interval 3 to 65 %)" in diverged["note"]
    assert diverged["verdict"] == "inconclusive"


def test_divergence_of_every_run_decides(tmp_path: Path) -> None:
    run = results.load(write_run(tmp_path / "run", Plan(seeds=12, diverged=tuple(range(12)))))
    found = row(run, NORM, "diverged_fraction")
    assert (found["effect"], found["verdict"]) == (1.0, "worse")
    assert found["p_adjusted"] == pytest.approx(6 * 2 / math.comb(24, 12)), "Fisher's, of six arms"
    accuracy = row(run, NORM, "test_accuracy")
    assert math.isnan(accuracy["effect"]), "nothing that diverged is averaged in"
    assert "diverged in all 12 seeds" in accuracy["note"]


def test_a_censored_arm_gets_no_invented_number(run: Run) -> None:
    found = row(run, NORM, "steps_to_target")
    assert math.isnan(found["effect"])
    assert "reached for norm=none in none of its 6 seeds" in found["note"]
    assert found["p_value"] == pytest.approx(2 / math.comb(14, 6) / 2), "six of six against none of eight"
    assert found["verdict"] == "worse"


def test_enough_missed_targets_decide_by_fishers_exact_test(tmp_path: Path) -> None:
    run = results.load(write_run(tmp_path / "run", Plan(seeds=12, diverged=())))
    found = row(run, NORM, "steps_to_target")
    assert found["p_value"] == pytest.approx(2 / math.comb(24, 12))
    assert math.isnan(found["effect"])
    assert found["verdict"] == "worse"


def test_a_single_censored_block_leaves_the_row_undecided(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    file = next((path / "records").glob("digits-32-stemdeep64-seed-3-*"))
    one = read_record(file)
    kept = tuple(m for m in one.outcomes[0].measurements if m.metric != "steps_to_target")
    missed = OutcomeDetails(censored={"steps_to_target": "80 % not reached in 120 steps"})
    file.unlink()
    write_record(path, replace(one, outcomes=(replace(one.outcomes[0], measurements=kept, details=missed),)))
    found = row(results.load(path), STEM, "steps_to_target")
    assert (found["n"], found["verdict"]) == (7, "inconclusive")
    assert "censored for stem=deep64 in 1 of 8 seeds (80 % not reached in 120 steps)" in found["note"]


def test_a_failed_arm_keeps_its_rows_with_the_reason(run: Run) -> None:
    found = row(run, HUGE, "step_seconds", mode="train")
    assert math.isnan(found["effect"])
    assert (found["n"], found["verdict"]) == (0, "inconclusive")
    assert "out of memory in all 6 processes (needs 96 GiB, 24 GiB are free)" in found["note"]
    assert "not applicable in all 8 seeds" in row(run, HUGE, "test_accuracy")["note"]


def test_an_equivalent_factor_matches_bit_for_bit(run: Run) -> None:
    found = row(run, RELU, "test_accuracy")
    assert (found["ci_low"], found["ci_high"], found["p_value"]) == (0.0, 0.0, 1.0)
    assert found["verdict"] == "equivalent"
    assert found["note"] == "bit-identical in all 8 seeds, as an equivalent factor must be"


def test_one_bit_of_difference_makes_a_placebo_invalid(broken: Run) -> None:
    found = row(broken, RELU, "train_loss")
    assert found["verdict"] == "invalid"
    assert found["note"].startswith("not bit-identical to the baseline, as an equivalent factor must be")
    assert "test_accuracy differs in seed-3" in found["note"]


def test_a_curve_that_differs_makes_a_placebo_invalid(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    file = next((path / "records").glob("digits-32-reluoutofplace-seed-4-*"))
    one = read_record(file)
    first, *rest = one.outcomes[0].curves
    bent = replace(first, y=(first.y[0] + 1e-15, *first.y[1:]))
    file.unlink()
    write_record(path, replace(one, outcomes=(replace(one.outcomes[0], curves=(bent, *rest)),)))
    found = row(results.load(path), RELU, "test_accuracy")
    assert found["verdict"] == "invalid"
    assert "curve of validation_accuracy differs in seed-4" in found["note"]


def test_a_failed_control_invalidates_its_metric_and_no_other(broken: Run) -> None:
    effects = broken.effects(control=True)
    time = effects[effects["metric"] == "step_seconds"]
    assert set(time["verdict"]) == {"invalid"}
    assert time["note"].str.contains("A/A control|duplicate of the baseline").all()
    memory = effects[(effects["metric"] == "peak_bytes") & (effects["arm"] == STEM)]
    assert set(memory["verdict"]) == {"worse"}


def test_exact_trials_that_disagree_are_a_fault(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    odd = Measurement("peak_bytes", (1.0,), "simulated", "cuda", mode="train")
    one = planted.record("memory-224", "exact", planted.outcome(STEM, measurements=(odd,)))
    write_record(path, replace(one, trial="another"))
    found = row(results.load(path), STEM, "peak_bytes", mode="train", source="simulated")
    assert found["verdict"] == "invalid"
    assert found["note"].startswith("exact trials disagree: 1 and 8,439,610,737 for stem=deep64")


def test_an_inert_arm_is_flagged_where_its_fingerprint_holds_and_nowhere_else(run: Run) -> None:
    effects = run.effects(control=True)
    inert = effects[effects["inert"]]
    assert set(inert["arm"]) == {POOL}
    assert set(inert["workload"]) == {"complexity", "digits-32"}, "224 and 64 px were not fingerprinted"
    assert inert["note"].str.startswith("inert: changes no shape, operator or output at this input").all()


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_fewer_than_six_blocks_never_decide(tmp_path: Path, blocks: int) -> None:
    run = results.load(write_run(tmp_path / "run", Plan(processes=blocks, seeds=blocks, diverged=())))
    effects = run.effects(control=True)
    varied = effects[~effects["note"].str.contains("exact") & effects["effect"].notna()]
    assert set(varied["metric"]) >= {"step_seconds", "test_accuracy"}
    proven = varied["placebo"] & varied["identical"]  # two seeds show that, and no more could
    assert set(varied.loc[proven, "verdict"]) == {"inconclusive" if blocks == 1 else "equivalent"}
    varied = varied[~proven]
    assert set(varied["verdict"]) == {"inconclusive"}
    assert (varied["n_needed"].dropna() >= 6).all()


def test_the_two_kinds_of_row_agree_on_significance_everywhere(run: Run) -> None:
    effects = run.effects(control=True).dropna(subset=["p_adjusted", "ci_low"])
    none = np.where(effects["effect_kind"] == "ratio", 1.0, 0.0)
    outside = (effects["ci_low"] > none) | (effects["ci_high"] < none)
    assert ((effects["p_adjusted"] < 0.05) == outside).all()


def test_an_interaction_is_what_two_changes_do_beyond_each_alone(run: Run) -> None:
    found = run.interactions()
    assert set(found["factor"]) == {"norm+stem"}
    assert set(found["level"]) == {"none+deep64"}
    memory = found[(found["metric"] == "peak_bytes") & (found["source"] == "simulated")].iloc[0]
    assert memory["effect"] == pytest.approx(1.02 / (1.31 * 0.72), rel=1e-6)
    time = found[(found["metric"] == "step_seconds") & (found["mode"] == "train")].iloc[0]
    logs = {
        arm: np.log(samples(run, "step_seconds", arm, mode="train")["value"])
        for arm in (BOTH, STEM, NORM, BASELINE)
    }
    blocks = block_medians(logs[BOTH] - logs[STEM] - logs[NORM] + logs[BASELINE])
    assert time["effect"] == pytest.approx(np.exp(blocks.mean()))
    assert time["verdict"] == "worse", "a factor of 1.2 was planted"


def test_without_pairs_of_changes_there_are_no_interactions(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    one = resolved_study.read_study(path)
    arms = tuple(arm for arm in one.arms if arm.name != NORM)
    workloads = tuple(
        replace(w, variants={k: v for k, v in w.variants.items() if k != NORM}) for w in one.workloads
    )
    resolved_study.write_study(path, replace(one, arms=arms, workloads=workloads))
    for file in (path / "records").glob("*"):
        content: Record = read_record(file)
        kept = tuple(o for o in content.outcomes if o.arm != NORM)
        file.unlink()
        if kept:
            write_record(path, replace(content, outcomes=kept))
    found = results.load(path).interactions()
    assert found.empty
    assert "factor" in found.columns


def test_environments_that_differ_are_never_pooled(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(environments=("laptop-1", "server-2")))
    effects = results.load(path).effects(control=True)
    found = effects[(effects["arm"] == STEM) & (effects["metric"] == "test_accuracy")]
    assert list(found["environment"]) == ["laptop-1", "server-2"]
    assert list(found["n"]) == [8, 8]
    assert found["effect"].nunique() == 2


def test_the_noise_floor_of_each_mode_is_as_far_as_the_interval_of_the_duplicate_reaches(run: Run) -> None:
    noise = run.analysis.noise_floor.query("metric == 'step_seconds'").set_index("mode")
    for mode in ("train", "inference"):
        arm, baseline = (samples(run, "step_seconds", name, mode=mode) for name in (CONTROL, BASELINE))
        logs = block_medians(np.log(arm["value"] / baseline["value"]))
        shared = row(run, CONTROL, "step_seconds", mode=mode)
        half = stats.t.ppf(0.975, shared["freedom"]) * shared["sd"] / math.sqrt(len(logs))
        found = noise.loc[mode]
        ends = np.exp([logs.mean() - half, logs.mean() + half])
        assert (found["ci_low"], found["ci_high"]) == pytest.approx(tuple(ends))
        assert found["half_width"] == pytest.approx(abs(logs.mean()) + half)
        assert found["verdict"] == "quiet"

"""More seeds where intervals are wide, and each arm's own learning rate: pure functions of the records."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import results
from results.records.directory import write_environment, write_record
from results.records.record import Curve, Measurement, Outcome, Record, Status
from results.records.resolved_study import write_study
from results.verdicts.mean import Mean
from results.verdicts.seeds_needed import ASSURANCE, allocated
from results.verdicts.spread import Spread
from results.verdicts.tuning import searches
from runners import study
from runners.errors import BadInput
from runners.plan import Plan, plan
from runners.stages import wanted
from runners.trial import Trial

HERE = "here"
STUDY = """
architecture = "resnet"
[factors]
relu = ["inplace", "out_of_place"]
stem = ["shallow", "deep32", "deep64"]
[[workloads]]
kind = "convergence"
levels = { depth = 18, width = 4 }
learning_rate = 0.1
seeds = 8
"""
Score = Callable[[Trial], tuple[float, float]]
"""Accuracy and validation loss of a training."""


def planned_of(folder: Path, keys: str) -> Plan:
    path = folder / "mine.toml"
    path.write_text(STUDY + keys)
    found = plan(study.load(str(path)))
    # Complexity runs beside it and is no part of the question.
    return replace(found, trials=tuple(t for t in found.trials if t.workload.kind == "convergence"))


def record(trial: Trial, score: Score, status: Status = "ok") -> Record:
    (arm,) = trial.arms
    accuracy, loss = score(trial)
    if not math.isfinite(loss):
        status = "diverged"
    found = Outcome(arm.name, arm.variant, {}, status)
    if status == "ok":
        measured = Measurement("test_accuracy", (accuracy,), "measured", "cpu", mode="train", split="test")
        curve = Curve("validation_loss", "validation", (1, 2), (9.0 - loss, loss))
        found = replace(found, measurements=(measured,), curves=(curve,))
    started = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    return Record(trial.id, trial.workload.name, trial.block, HERE, 1, started, 1.0, (found,))


def run_to_the_end(planned: Plan, score: Score) -> dict[str, list[Trial]]:
    """As an undisturbed run would go; trials by workload and arm."""
    records: dict[str, Record] = {}
    ran: list[Trial] = []
    while new := [t for t in wanted(planned, records.values(), HERE) if t.id not in records]:
        for trial in new:
            records[trial.id] = record(trial, score)
            ran.append(trial)
    assert wanted(planned, records.values(), HERE) == wanted(planned, reversed(records.values()), HERE)
    found: dict[str, list[Trial]] = {}
    for trial in ran:
        found.setdefault(f"{trial.workload.name} {trial.arms[0].name}", []).append(trial)
    return found


def noise(trial: Trial, sd: float) -> float:
    """Of its own for each arm and seed; the placebo is the baseline."""
    name = trial.arms[0].name.replace("relu=out_of_place", "baseline")
    return sd * float(np.random.default_rng([trial.index, len(name)]).standard_normal())


def test_a_placebo_has_two_seeds_and_the_baseline_as_many_as_declared(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "baseline_seeds = 20")
    counts = {name: len(trials) for name, trials in run_to_the_end(planned, lambda _: (0.9, 1.0)).items()}
    assert counts == {
        "convergence baseline": 20,
        "convergence (control)": 8,
        "convergence relu=out_of_place": 2,
        "convergence stem=deep32": 8,
        "convergence stem=deep64": 8,
    }


def test_paired_by_seed_all_have_as_many(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, 'pairing = "seed"')
    assert {len(trials) for trials in run_to_the_end(planned, lambda _: (0.9, 1.0)).values()} == {8}
    (workload,) = (w for w in planned.study.workloads if w.kind == "convergence")
    assert workload.paired


def test_more_seeds_go_to_the_arm_that_scatters_and_to_the_baseline(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "half_width = 0.01\nmax_seeds = 30")
    wide = {"stem=deep64": 0.012}

    def score(trial: Trial) -> tuple[float, float]:
        return 0.9 + noise(trial, wide.get(trial.arms[0].name, 0.001)), 1.0

    counts = {name.split()[1]: len(trials) for name, trials in run_to_the_end(planned, score).items()}
    assert counts["stem=deep32"] == counts["(control)"] == 8
    assert counts["relu=out_of_place"] == 2
    assert 8 < counts["stem=deep64"] <= 30


def test_what_is_narrow_enough_gets_none(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "half_width = 0.01")
    found = run_to_the_end(planned, lambda trial: (0.9 + noise(trial, 0.001), 1.0))
    assert max(map(len, found.values())) == 8


def test_an_effect_however_large_asks_for_no_seed(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "half_width = 0.01")
    shift = {"stem=deep64": 0.3, "stem=deep32": 0.011}
    found = run_to_the_end(
        planned, lambda trial: (0.5 + shift.get(trial.arms[0].name, 0) + noise(trial, 0.001), 1.0)
    )
    assert max(map(len, found.values())) == 8


@pytest.mark.parametrize("arms", [1, 4, 9])
def test_the_seeds_asked_for_give_the_half_width_at_least_cost(arms: int) -> None:
    """By plain scipy, were the spread at its upper quartile; no other share of the baseline is cheaper."""
    spread = Spread(1.0, 40.0)
    means = {name: Mean(0.0, 6, spread) for name in ("baseline", *(f"arm{i}" for i in range(arms)))}
    counts = allocated(means, "baseline", 0.5, arms)
    variance = 40 / stats.chi2.ppf(1 - ASSURANCE, 40)
    # Dunnett's reach lies between that of one contrast and Bonferroni's.
    least, most = (float(stats.t.isf(0.025 / many, 40)) for many in (1, arms))
    reach = 0.5 / math.sqrt(variance / counts["arm0"] + variance / counts["baseline"])
    assert least * 0.97 <= reach <= most * 1.06
    aim = 1 / counts["arm0"] + 1 / counts["baseline"]
    total = counts["baseline"] + arms * counts["arm0"]
    others = (b + arms * math.ceil(1 / (aim - 1 / b)) for b in range(1, 400) if 1 / b < aim)
    assert total <= min(others) + arms + 2


def test_each_arm_trains_at_the_rate_with_the_lowest_validation_loss(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "tune = [0.3, 1, 3]\ntuning_seeds = 2")
    best = {"baseline": 0.3, "stem=deep32": 0.03, "stem=deep64": 0.1}

    def score(trial: Trial) -> tuple[float, float]:
        rate = trial.workload.settings["learning_rate"]
        return 0.9, 1 + abs(math.log(rate / best.get(trial.arms[0].name, 1.0)))

    found = run_to_the_end(planned, score)
    counts = {name: len(trials) for name, trials in found.items()}
    for rate in ("0.03", "0.1", "0.3"):
        here = {
            name.split()[1]: n for name, n in counts.items() if name.startswith(f"convergence-rate-{rate} ")
        }
        assert here == {"baseline": 2, "stem=deep32": 2, "stem=deep64": 2}, "the same budget for each"
    rates = {
        name.split()[1]: {trial.workload.settings["learning_rate"] for trial in trials}
        for name, trials in found.items()
        if name.startswith("convergence-tuned ")
    }
    assert rates == {arm: {rate} for arm, rate in best.items()} | {
        "(control)": {0.3},
        "relu=out_of_place": {0.3},
    }
    assert counts["convergence-tuned stem=deep64"] == 8


def test_a_rate_that_diverges_is_not_chosen_and_ties_stay_at_the_recipes(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "tune = [0.3, 1, 3]\ntuning_seeds = 2")

    def score(trial: Trial) -> tuple[float, float]:
        rate = trial.workload.settings["learning_rate"]
        if trial.arms[0].name == "stem=deep64" and rate == 0.3 and trial.index == 1:
            return 0.1, math.inf
        return 0.9, 0.1 if rate == 0.3 and trial.arms[0].name == "stem=deep64" else 1.0

    found = run_to_the_end(planned, score)
    assert {t.workload.settings["learning_rate"] for t in found["convergence-tuned stem=deep64"]} == {0.1}
    assert {t.workload.settings["learning_rate"] for t in found["convergence-tuned baseline"]} == {0.1}


def test_nothing_is_tuned_before_every_rate_was_tried(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "tune = [0.5, 1]")
    first = wanted(planned, [], HERE)
    assert {trial.workload.name for trial in first} == {
        *("convergence", "convergence-rate-0.05", "convergence-rate-0.1"),
    }
    last = [trial for trial in first if trial.workload.name == "convergence-rate-0.1"][-1]
    all_but_one = [record(trial, lambda _: (0.9, 1.0)) for trial in first if trial != last]
    assert {trial.workload.name for trial in wanted(planned, all_but_one, HERE)} == {
        trial.workload.name for trial in first
    }
    (tuned,) = (w for w in planned.study.workloads if w.belongs_to("tuned"))
    assert [w.name for w in searches(planned.study, tuned)] == [
        "convergence-rate-0.05",
        "convergence-rate-0.1",
    ]
    assert searches(planned.study, planned.study.workloads[0]) == ()


@pytest.mark.parametrize("keys", ["tune = [1]", "tune = [1, 1]", "tune = [0.3, -1]", 'recipe = "smal"'])
def test_what_makes_no_sense_is_one_line(tmp_path: Path, keys: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(STUDY + keys)
    with pytest.raises(BadInput) as caught:
        study.load(str(path))
    (line,) = caught.value.lines
    assert "workload 1" in line


def test_a_recipe_fills_in_what_the_workload_leaves_open(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(STUDY + 'recipe = "small"\nepochs = 3')
    (workload,) = study.load(str(path)).workloads
    told = workload.model_dump()
    assert (told["epochs"], told["learning_rate"], told["augmentation"]) == (3, 0.1, "shift")


def reported(planned: Plan, folder: Path, score: Score) -> results.Run:
    """A run directory of what the trainings would leave."""
    write_study(folder, planned.study)
    write_environment(folder, HERE, {"machine": "of a test"})
    records: dict[str, Record] = {}
    while new := [t for t in wanted(planned, records.values(), HERE) if t.id not in records]:
        for trial in new:
            records[trial.id] = record(trial, score)
            write_record(folder, records[trial.id])
    return results.load(folder)


def test_the_report_says_at_which_rate_each_arm_trains_and_counts_no_search(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "tune = [0.3, 1, 3]\ntuning_seeds = 2\nbaseline_seeds = 12")

    def score(trial: Trial) -> tuple[float, float]:
        rate = trial.workload.settings["learning_rate"]
        best = 0.03 if trial.arms[0].name == "stem=deep64" else 0.1
        return 0.9 + noise(trial, 0.001), 1 + abs(math.log(rate / best))

    run = reported(planned, tmp_path / "run", score)
    effects = run.effects()
    trained = effects[effects["kind"] == "convergence"]
    assert set(trained["workload"]) == {"convergence", "convergence-tuned"}
    text = (run.report().index.parent / "details.md").read_text()
    assert "of 0.03, 0.1, 0.3, tried on 2 seeds each, validation images found best: " in text
    assert "found best: baseline 0.1, stem=deep64 0.03; all others as the baseline" in text
    placebo = trained[(trained["arm"] == "relu=out_of_place") & (trained["metric"] == "test_accuracy")]
    assert set(placebo["verdict"]) == {"equivalent"}
    assert set(placebo["n"]) == {2}
    assert "n = 8 seeds against 12" in text, "a placebo's two seeds say nothing of the others"
    assert "the same" in text


def test_a_training_that_was_not_over_is_said_to_be_early(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "")

    def course(trial: Trial) -> Record:
        found = record(trial, lambda _: (0.9 + noise(trial, 0.001), 1.0))
        (outcome,) = found.outcomes
        shares = (0.1, 0.5, 0.7, 0.75 if trial.index % 2 else 0.77)
        curve = Curve("validation_accuracy", "validation", (10, 20, 30, 40), shares)
        return replace(found, outcomes=(replace(outcome, curves=(*outcome.curves, curve)),))

    folder = tmp_path / "run"
    write_study(folder, planned.study)
    write_environment(folder, HERE, {"machine": "of a test"})
    for trial in planned.trials:
        write_record(folder, course(trial))
    text = (results.load(folder).report().index.parent / "details.md").read_text()
    assert "the baseline still gained 6.0 points of validation accuracy in the last 25 % of" in text


def test_seeds_that_fail_are_counted_and_never_averaged_in(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "baseline_seeds = 20")

    def score(trial: Trial) -> tuple[float, float]:
        failed = trial.arms[0].name == "stem=deep64" and trial.index % 4 != 0
        return (0.1 if failed else 0.95) + noise(trial, 0.002), 1.0

    effects = reported(planned, tmp_path / "run", score).effects()
    mine = effects[(effects["arm"] == "stem=deep64") & (effects["kind"] == "convergence")]
    (accuracy,) = mine[mine["metric"] == "test_accuracy"].to_dict("records")
    assert (accuracy["verdict"], accuracy["cause"], accuracy["heap_low_n"]) == ("inconclusive", "heaps", 6)
    (failed,) = mine[mine["metric"] == "failed_fraction"].to_dict("records")
    assert (failed["value"], failed["baseline_value"]) == (0.75, 0.0)
    assert (failed["n"], failed["baseline_n"]) == (8, 20)
    assert failed["verdict"] == "worse"
    p = stats.fisher_exact(np.array([[6, 2], [0, 20]])).pvalue
    assert failed["p_value"] == pytest.approx(p)
    assert failed["p_adjusted"] == pytest.approx(3 * p)
    others = effects[(effects["metric"] == "failed_fraction") & (effects["arm"] == "stem=deep32")]
    assert set(others["verdict"]) == {"inconclusive"}


def test_seeds_that_diverged_or_only_guessed_have_failed_too(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, "baseline_seeds = 20")

    def course(trial: Trial) -> Record:
        failed = trial.arms[0].name == "stem=deep64"
        found = record(
            trial,
            lambda _: (
                0.11 if failed else 0.95 + noise(trial, 0.002),
                math.inf if failed and trial.index == 0 else 1.0,
            ),
        )
        (outcome,) = found.outcomes
        told = replace(outcome, levels={"num_classes": "10"}, details={"test_images": 1000})
        return replace(found, outcomes=(told,))

    folder = tmp_path / "run"
    write_study(folder, planned.study)
    write_environment(folder, HERE, {"machine": "of a test"})
    for trial in planned.trials:
        write_record(folder, course(trial))
    run = results.load(folder)
    effects = run.effects()
    mine = effects[(effects["arm"] == "stem=deep64") & (effects["metric"] == "failed_fraction")]
    (failed,) = mine.to_dict("records")
    # Seven at chance level, no two heaps among them, and one that diverged.
    assert (failed["value"], failed["baseline_value"]) == (1.0, 0.0)
    assert (failed["n"], failed["baseline_n"], failed["verdict"]) == (8, 20, "worse")
    others = effects[(effects["metric"] == "failed_fraction") & (effects["arm"] == "stem=deep32")]
    assert set(others["value"]) == {0.0}
    told = (run.report().index.parent / "details.md").read_text()
    assert "Costs 100.0 points more seeds that failed to learn" in told
    assert "the lower of two heaps: the baseline in 0 of 20, stem=deep64 in 8 of 8 " in told

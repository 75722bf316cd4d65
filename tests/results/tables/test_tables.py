import itertools
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import results
from results.records.directory import read_record, write_record
from results.records.files import RecordError
from results.records.resolved_study import Stopping
from results.run import Run
from results.tables.analysis import Analysis
from results.tables.headline import headline_columns
from tests.results.planted import BOTH, HUGE, NORM, POOL, RELU, STEM, Plan, outcome, record, write_run


def test_measurements_hold_one_row_per_sample_without_warm_up(run: Run) -> None:
    time = run.measurements[run.measurements["metric"] == "step_seconds"]
    assert len(time) == 6 * 5 * 7 * 2, "processes, rounds, arms that ran, modes"
    assert 9.9 not in set(time["value"]), "that was the warm-up"
    assert set(time["round"]) == set(range(5))
    assert set(time["input_size"]) == {64}


def test_only_outcomes_that_are_ok_contribute_measurements(run: Run) -> None:
    assert HUGE not in set(run.measurements[run.measurements["workload"] == "throughput-64"]["arm"])
    diverged = run.measurements[
        (run.measurements["arm"] == NORM) & (run.measurements["kind"] == "convergence")
    ]
    assert {"seed-2", "seed-5"}.isdisjoint(diverged["block"])


def test_only_the_last_attempt_counts(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    file = next((path / "records").glob("digits-32-stemdeep64-seed-0-*"))
    again = outcome(STEM, "diverged", "second attempt")
    write_record(path, replace(read_record(file), attempt=2, outcomes=(again,)))
    run = results.load(path)
    mine = run.measurements[(run.measurements["arm"] == STEM) & (run.measurements["block"] == "seed-0")]
    assert mine.empty
    trial = run.trials().query("block == 'seed-0' and arm == @STEM").iloc[0]
    assert (trial["attempt"], trial["reason"]) == (2, "second attempt")


def test_every_trial_has_a_row_per_arm_with_status_and_reason(run: Run) -> None:
    trials = run.trials()
    assert len(trials) == 8 + 8 + 6 * 8 + 8 * 8
    assert set(trials.query("arm == @HUGE")["status"]) == {"ok", "out_of_memory", "not_applicable"}
    assert list(trials.columns) == [
        *("trial", "workload", "block", "occasion", "arm", "variant", "status", "reason"),
        *("seconds", "environment", "attempt", "started_at", "log"),
    ]


def test_variants_stand_side_by_side_with_their_context(run: Run) -> None:
    table = run.variants().set_index("arm")
    assert table.loc[STEM, "memory-224: peak_bytes (train, simulated, cuda)"] == round(6 * 2**30 * 1.31)
    assert table.loc[NORM, "digits-32: diverged"] == "2/8"
    assert table.loc[HUGE, "memory-224: status"] == "out_of_memory"
    assert table.loc[NORM, "digits-32: status"] == "diverged 2, ok 6"
    assert len(table) == 8, "baseline and control included"


def test_claims_are_a_header_until_a_study_declares_some(run: Run) -> None:
    assert run.claims().empty
    assert list(run.claims().columns)[:3] == ["claim", "source", "statement"]


def test_blocks_that_are_not_on_record_are_listed(broken: Run) -> None:
    missing = broken.analysis.missing
    assert set(missing["workload"]) == {"digits-32"}
    assert set(missing["recorded"]) == {7}
    assert set(missing["planned"]) == {8}


def test_a_block_that_precision_asks_for_is_missing_where_it_is_needed(run: Run) -> None:
    def with_rule(half_width: float) -> Analysis:
        rule = Stopping("step_seconds", half_width, at_most=30)
        workloads = (
            replace(w, stopping=rule) if w.kind == "throughput" else w for w in run.analysis.study.workloads
        )
        return replace(run.analysis, study=replace(run.analysis.study, workloads=tuple(workloads)))

    assert run.analysis.missing.empty
    assert with_rule(0.5).missing.empty
    # The planted spread between processes is 6 % for the pool and 1 % for all others.
    missing = with_rule(0.05).missing
    assert set(missing["arm"]) == {POOL}
    assert missing[["recorded", "planned"]].to_numpy().tolist() == [[6, 7]]
    (row,) = with_rule(0.05).cost.to_dict("records")
    assert row["reason"] == "under way"
    assert row["open_arms"] == [POOL]


def test_the_headline_is_told_context_by_context(run: Run) -> None:
    columns = {(c.title, c.context): c.rows for c in headline_columns(run.analysis.study, run.effects())}
    assert list(columns) == [
        ("multiply-accumulates", "resnet, 32 px, batch 32, fp32"),
        ("peak memory, train", "resnet, 224 px, batch 256, fp32, simulated cuda"),
        ("peak memory, inference", "resnet, 224 px, batch 256, fp32, simulated cuda"),
        ("step time, train", "resnet, 64 px, batch 32, fp32, measured cpu"),
        ("step time, inference", "resnet, 64 px, batch 32, fp32, measured cpu"),
        ("test accuracy", "resnet, 32 px, batch 32, fp32, digits"),
        ("seeds that failed to learn", "resnet, 32 px, batch 32, fp32, digits"),
    ]
    *of_all, (_, failed) = columns.items()
    assert (failed["value"] + failed["baseline_value"] > 0).all(), "arms of which none failed say nothing"
    for _, rows in of_all:
        assert set(rows["arm"]) == {STEM, NORM, RELU, POOL, BOTH, HUGE}


def test_columns_of_a_workload_stand_together_wherever_their_rows_are(run: Run) -> None:
    scattered = run.effects().sort_values("metric", kind="stable")
    contexts = [column.context for column in headline_columns(run.analysis.study, scattered)]
    runs = [context for context, _ in itertools.groupby(contexts)]
    assert len(runs) == len(set(runs))
    assert runs[0] == "resnet, 32 px, batch 32, fp32", "in the study's order"


def test_a_workload_of_another_precision_stays_in_the_headline(run: Run) -> None:
    study = run.analysis.study
    other = replace(study.workloads[1], name="memory-bf16", precision="bf16")
    effects = run.effects()
    also = effects[effects["workload"] == "memory-224"].assign(workload="memory-bf16", precision="bf16")
    both = headline_columns(replace(study, workloads=(*study.workloads, other)), pd.concat([effects, also]))
    contexts = [column.context for column in both if column.title == "peak memory, train"]
    assert contexts == [f"resnet, 224 px, batch 256, {p}, simulated cuda" for p in ("fp32", "bf16")]


def test_a_record_of_an_unknown_workload_is_left_out_and_named(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(processes=1, seeds=1))
    write_record(path, record("elsewhere", "exact", outcome(STEM)))
    (left,) = results.load(path).analysis.left_out
    assert left.path.name.startswith("elsewhere")
    assert "workload is 'elsewhere', which is not in the study; expected one of complexity" in left.reason


def test_a_directory_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="not a run directory"):
        results.load(tmp_path)

from dataclasses import replace
from pathlib import Path

import pytest

import results
from results.compare import compare
from results.records.directory import read_record, write_record
from results.records.files import RecordError
from results.records.resolved_study import Stopping
from results.run import Run
from results.tables.headline import headline, headline_cells
from tests.results.planted import CONTROL, HUGE, NORM, POOL, STEM, Plan, outcome, record, write_run


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
        *("trial", "workload", "block", "arm", "variant", "status", "reason"),
        *("seconds", "environment", "attempt", "started_at"),
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
    missing = broken.missing()
    assert set(missing["workload"]) == {"digits-32"}
    assert set(missing["recorded"]) == {7}
    assert set(missing["planned"]) == {8}


def test_a_block_that_precision_asks_for_is_missing_where_it_is_needed(run: Run) -> None:
    def with_rule(half_width: float) -> Run:
        rule = Stopping("step_seconds", half_width, at_most=30)
        workloads = (replace(w, stopping=rule) if w.kind == "throughput" else w for w in run.study.workloads)
        return replace(run, study=replace(run.study, workloads=tuple(workloads)))

    assert run.missing().empty
    assert with_rule(0.5).missing().empty
    # The planted spread between processes is 6 % for the pool and 1 % for all others.
    missing = with_rule(0.05).missing()
    assert set(missing["arm"]) == {POOL}
    assert missing[["recorded", "planned"]].to_numpy().tolist() == [[6, 7]]
    (row,) = with_rule(0.05).cost().to_dict("records")
    assert row["reason"] == "under way"
    assert row["target"] < row["reached"]


def test_the_headline_has_a_row_per_arm_and_marks_each_verdict(run: Run) -> None:
    table = headline(run.effects())
    assert CONTROL not in table.index
    assert table.loc[STEM, "peak memory, train, simulated cuda"] == "▼ +31 %"
    assert table.loc[NORM, "peak memory, train, simulated cuda"] == "▲ −28 %"
    assert table.loc[HUGE, "step time, train"] == "? —"
    cells = headline_cells(run.effects())
    assert set(cells["verdict"]) <= {"better", "worse", "equivalent", "inconclusive", "invalid"}


def test_a_run_agrees_with_itself(run: Run) -> None:
    joined = compare(run, run)
    assert len(joined) == len(run.effects())
    assert set(joined["agreement"]) == {"agree", "both undecided"}


def test_two_runs_are_joined_on_what_was_asked(run: Run, broken: Run) -> None:
    joined = compare(run, broken).query("factor == 'stem' and metric == 'step_seconds' and mode == 'train'")
    assert len(joined) == 1
    time = joined.iloc[0]
    assert time["agreement"] == "one undecided"
    assert time["verdict_a"] == "worse"
    assert time["verdict_b"] == "invalid"
    assert time["effect_a"] == pytest.approx(1.25, rel=0.05)


def test_what_only_one_run_asked_is_kept(run: Run, tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    for file in (path / "records").glob("throughput*"):
        file.unlink()
    other = results.load(path)
    assert set(compare(run, other).query("metric == 'step_seconds'")["agreement"]) == {"only in A"}
    assert set(compare(other, run).query("metric == 'step_seconds'")["agreement"]) == {"only in B"}


def test_a_record_of_an_unknown_workload_is_named(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(processes=1, seeds=1))
    write_record(path, record("elsewhere", "exact", outcome(STEM)))
    with pytest.raises(
        RecordError, match="workload 'elsewhere' is not in the study; expected one of complexity"
    ):
        _ = results.load(path).measurements


def test_a_directory_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="not a run directory"):
        results.load(tmp_path)

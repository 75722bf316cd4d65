"""What a run took: sums of the seconds in its records, each process once."""

from collections import defaultdict
from dataclasses import replace

import pytest

from results.records.record import Outcome, Record
from results.run import Run
from results.tables.cost import COST_COLUMNS, cost, shared
from tests.results.planted import ARMS, BASELINE, CONTROL, HUGE, STEM, Plan, outcome, record, study


def timed(one: Record, seconds: float, attempt: int = 1) -> Record:
    return replace(one, seconds=seconds, attempt=attempt)


def test_all_seconds_are_there_once(run: Run) -> None:
    found = shared(run.analysis.spent)
    records = run.analysis.records
    assert found["seconds"].sum() == pytest.approx(sum(one.seconds for one in records))
    workloads: dict[str, float] = defaultdict(float)
    for one in records:
        workloads[one.workload] += one.seconds
    assert found.groupby("workload")["seconds"].sum().to_dict() == pytest.approx(dict(workloads))


def test_a_process_of_several_arms_counts_for_each_in_equal_parts_whatever_became_of_it() -> None:
    both = (outcome(BASELINE), outcome(STEM, "out_of_memory", "full"))
    found = shared(cost(study(Plan()), [timed(record("throughput-64", "process-0", *both), 30.0)]))
    assert found.set_index("arm")["seconds"].to_dict() == {BASELINE: 15.0, STEM: 15.0}
    assert found.set_index("arm")["status"].to_dict() == {BASELINE: "ok", STEM: "out_of_memory"}


def test_earlier_attempts_took_their_time_too() -> None:
    lost: Outcome = outcome(STEM, "killed", "out of time")
    again = [
        timed(record("digits-32", "seed-0", lost), 7.0),
        timed(record("digits-32", "seed-0", outcome(STEM)), 5.0, attempt=2),
    ]
    found = shared(cost(study(Plan()), again))
    assert found.groupby("status")["seconds"].sum().to_dict() == {"killed": 7.0, "ok": 5.0}


def test_rows_stand_in_the_studys_order_and_nothing_has_none() -> None:
    mixed = [record("digits-32", "seed-0", outcome(arm.name)) for arm in reversed(ARMS)]
    found = cost(study(Plan()), [*mixed, record("complexity", "exact", outcome(HUGE))])
    assert list(found["workload"].drop_duplicates()) == ["complexity", "digits-32"]
    assert list(found["arm"][1:]) == [arm.name for arm in ARMS]
    assert found.loc[found["arm"] == CONTROL, "role"].item() == "control"
    assert list(cost(study(Plan()), []).columns) == COST_COLUMNS

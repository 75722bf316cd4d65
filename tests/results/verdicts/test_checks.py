"""What is known of an arm before any statistics: inert networks, impossible figures, failed controls."""

from dataclasses import replace
from pathlib import Path

import pytest

import results
from results.records.directory import read_record, write_record
from results.records.record import Measurement, OutcomeDetails, Record, Status
from results.records.resolved_study import read_study, write_study
from results.run import Run
from results.verdicts.stopping import given_up
from tests.results import planted
from tests.results.planted import BOTH, CONTROL, ENVIRONMENT, HUGE, NORM, POOL, STEM, Plan, write_run


def with_input(path: Path, size: int) -> Path:
    """The same run, all its workloads on images of one size, and no duplicate in the first."""
    study = read_study(path)
    workloads = [replace(w, input_size=size) for w in study.workloads]
    without = {arm: spec for arm, spec in workloads[0].variants.items() if arm != CONTROL}
    workloads[0] = replace(workloads[0], variants=without)
    write_study(path, replace(study, workloads=tuple(workloads)))
    for file in (path / "records").glob("complexity-control-*"):
        file.unlink()
    return path


@pytest.mark.usefixtures("quick")
def test_an_arm_is_inert_wherever_the_same_networks_see_the_same_input(tmp_path: Path) -> None:
    run = results.load(with_input(write_run(tmp_path / "run"), 32))
    inert = run.effects().query("inert")
    assert set(inert["arm"]) == {POOL}
    assert set(inert["workload"]) == {"complexity", "memory-224", "throughput-64", "digits-32"}
    text = run.report().index.with_name("details.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith(f"| {POOL} ")]
    *ranked, failed = (cell.strip() for cell in rows[0][2:-1])
    assert set(ranked) == {"inert"}, "it is ranked nowhere"
    assert failed == "—", "none of its seeds failed"
    assert f"**{POOL}** in complexity, memory-224, throughput-64, digits-32" in text


def test_a_network_is_inert_on_the_machine_where_its_outputs_are_the_same(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(environments=("laptop-1", "server-2")))
    (file,) = (path / "records").glob("complexity-poolkernel2x2-*server-2*")
    one = read_record(file)
    file.unlink()
    changed = replace(one.outcomes[0], details=OutcomeDetails(fingerprint="another"))
    write_record(path, replace(one, outcomes=(changed,)))
    inert = results.load(path).effects().query("inert")
    assert set(zip(inert["arm"], inert["environment"], strict=True)) == {(POOL, "laptop-1")}


def test_divergence_is_counted_on_each_machine_alone(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(environments=("laptop-1", "server-2")))
    for file in (path / "records").glob("digits-32-normnone-*server-2*"):
        one = read_record(file)
        file.unlink()
        write_record(path, replace(one, outcomes=(replace(one.outcomes[0], status="diverged"),)))
    rows = results.load(path).effects().query(f"metric == 'diverged_fraction' and arm == '{NORM}'")
    assert dict(zip(rows["environment"], rows["value"], strict=True)) == {"laptop-1": 0.25, "server-2": 1.0}
    assert set(rows["n"]) == {8}


def test_a_failed_control_takes_the_interactions_with_it(broken: Run) -> None:
    found = broken.interactions()
    time = found[found["metric"] == "step_seconds"]
    assert set(time["verdict"]) == {"invalid"}
    assert set(time["fault"]) == {"control"}
    memory = found[found["metric"] == "peak_bytes"]
    assert "invalid" not in set(memory["verdict"])


@pytest.mark.parametrize("arm", [STEM, "baseline"])
def test_what_a_probe_found_impossible_is_a_fault_and_never_better(tmp_path: Path, arm: str) -> None:
    path = write_run(tmp_path / "run")
    (file,) = (path / "records").glob(f"memory-224-{''.join(c for c in arm if c.isalnum())}-exact-*")
    one = read_record(file)
    file.unlink()
    kept = tuple(m for m in one.outcomes[0].measurements if m.metric != "peak_bytes")
    reason = "the allocator's peak lies 3 MiB below what the tensors alone need"
    details = OutcomeDetails(invalid={"peak_bytes": reason})
    write_record(path, replace(one, outcomes=(replace(one.outcomes[0], measurements=kept, details=details),)))
    run = results.load(path)
    rows = run.effects().query(f"metric == 'peak_bytes' and arm == '{STEM}'")
    assert set(rows["verdict"]) == {"invalid"}
    assert set(rows["fault"]) == {"impossible"}
    assert rows["note"].str.contains(reason).all()
    interactions = run.interactions().query("metric == 'peak_bytes'")
    assert not set(interactions["verdict"]) & {"better", "worse", "equivalent"}


@pytest.mark.parametrize("prose", ["; exact; ", "exact", "inert; placebo; exact trials disagree"])
def test_the_words_of_a_failure_change_no_fact(tmp_path: Path, prose: str) -> None:
    plain, odd = (write_run(tmp_path / name, Plan(reason=said)) for name, said in (("a", "x"), ("b", prose)))
    one, other = (results.load(path).effects() for path in (plain, odd))
    facts = [column for column in one if column != "note"]
    assert one[facts].equals(other[facts])


def test_an_arm_is_given_up_after_the_same_failure_twice_and_not_before() -> None:
    def failing(block: str, reason: str, arm: str = HUGE, status: Status = "failed") -> Record:
        outcome = planted.outcome(arm, reason=reason)
        return planted.record("digits-32", block, replace(outcome, status=status))

    once = [failing("seed-0", "32 px is too small"), failing("seed-1", "another reason")]
    assert given_up(once) == frozenset()
    twice = [*once, failing("seed-2", "32 px is too small")]
    assert given_up(twice) == {(ENVIRONMENT, "digits-32", HUGE)}
    told = [failing(f"seed-{i}", "needs 96 GiB", STEM, "out_of_memory") for i in range(3)]
    assert given_up(told) == frozenset(), "memory may be free the next time"
    measured = Measurement("test_accuracy", (0.5,), "observed", "cpu", split="test")
    assert given_up(
        [planted.record("digits-32", "seed-0", planted.outcome(BOTH, measurements=(measured,)))]
    ) == (frozenset())

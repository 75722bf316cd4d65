import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.records.directory import (
    Stop,
    latest,
    read_plans,
    read_record,
    read_stops,
    write_plan,
    write_record,
)
from results.records.files import SCHEMA_VERSION, RecordError, dump
from results.records.record import Curve, Measurement, Outcome, Record
from results.records.resolved_study import read_study, write_study
from results.records.values import clean
from tests.results.planted import Plan, outcome, record, study

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_", min_size=1, max_size=12)
floats = st.floats(-1e39, 1e39)
words = st.text(max_size=20).map(clean)
measurements = st.builds(
    Measurement,
    metric=names,
    values=st.lists(floats, max_size=4).map(tuple),
    source=words,
    device=words,
    warmup=st.lists(floats, max_size=2).map(tuple),
    mode=st.none() | words,
    split=st.none() | words,
)
curves = st.lists(st.tuples(st.integers(0, 999), floats), max_size=4).map(
    lambda points: Curve("loss", "train", tuple(s for s, _ in points), tuple(y for _, y in points))
)
outcomes = st.builds(
    Outcome,
    arm=words,
    variant=words,
    levels=st.dictionaries(words, st.booleans() | st.integers(-9, 9) | words, max_size=3),
    status=st.sampled_from(["ok", "out_of_memory", "diverged", "failed"]),
    reason=st.none() | words,
    measurements=st.lists(measurements, max_size=2).map(tuple),
    curves=st.lists(curves, max_size=2).map(tuple),
    details=st.fixed_dictionaries({"more": st.dictionaries(words, st.none() | words, max_size=2)}),
)
records = st.builds(
    Record,
    trial=names,
    workload=words,
    block=st.just("exact") | st.integers(0, 999).map("seed-{}".format),
    environment=names,
    attempt=st.integers(1, 99),
    started_at=words,
    seconds=st.floats(0, 1e6),
    outcomes=st.lists(outcomes, min_size=1, max_size=3, unique_by=lambda one: one.arm).map(tuple),
    details=st.fixed_dictionaries({"more": st.dictionaries(words, words, max_size=2)}),
)


@settings(deadline=None, max_examples=60)
@given(records)
def test_a_record_survives_writing_and_reading(tmp_path_factory: pytest.TempPathFactory, one: Record) -> None:
    path = write_record(tmp_path_factory.mktemp("run"), one)
    assert read_record(path) == one


def test_a_record_is_never_overwritten(tmp_path: Path) -> None:
    one = record("memory-224", "exact", outcome("baseline"))
    write_record(tmp_path, one)
    with pytest.raises(FileExistsError, match="never overwritten"):
        write_record(tmp_path, one)


def test_the_last_attempt_of_a_trial_counts_by_environment() -> None:
    given_ = [
        Record("t", "w", "b", environment, attempt, "", 0.0, (outcome("baseline"),))
        for environment, attempt in (("e1", 2), ("e1", 1), ("e1", 10), ("e2", 1))
    ]
    kept = {key: one.attempt for key, one in latest(given_).items()}
    assert kept == {("t", "e1"): 10, ("t", "e2"): 1}


def test_the_most_severe_status_speaks_for_the_record() -> None:
    one = record("memory-224", "exact", outcome("baseline"), outcome("width=huge", "out_of_memory"))
    assert one.status == "out_of_memory"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a record: not readable JSON"),
        ("[]", "not a record: expected an object"),
        ('{"schema_version": 99}', "not a record: no field trial"),
        ('{"schema_version": 1, "outcomes": []}', "not a record: no field trial"),
    ],
)
def test_a_file_that_is_no_record_is_named_with_what_is_wrong(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "records" / "x.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(RecordError, match=said) as caught:
        read_record(path)
    assert str(path) in str(caught.value)


def test_a_study_survives_writing_and_reading_with_its_digest(tmp_path: Path) -> None:
    one = study(Plan())
    write_study(tmp_path, one)
    assert read_study(tmp_path) == one
    assert json.loads((tmp_path / "study.json").read_text())["digest"] == read_study(tmp_path).digest


def test_a_study_of_before_which_held_a_budget_is_read_and_still_guarded(tmp_path: Path) -> None:
    """Its digest is over the file as it was written then, the budget among it."""
    one = study(Plan())
    content = dump(one) | {"budget_seconds": 600.0}
    declared = {key: value for key, value in content.items() if key not in {"exploratory", "extended"}}
    digest = hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()
    path = tmp_path / "study.json"
    path.write_text(json.dumps(content | {"schema_version": SCHEMA_VERSION, "digest": digest}))
    assert read_study(tmp_path) == one
    path.write_text(path.read_text().replace("600.0", "6.0"))
    with pytest.raises(RecordError, match="changed after it was written"):
        read_study(tmp_path)


def test_that_a_budget_ended_a_run_stands_with_its_plan_until_the_plan_is_written_anew(
    tmp_path: Path,
) -> None:
    write_plan(tmp_path, "here", ["b", "a"], Stop(120.0, 60.0))
    assert read_plans(tmp_path) == {"here": frozenset({"a", "b"})}
    assert read_stops(tmp_path) == {"here": Stop(120.0, 60.0)}
    write_plan(tmp_path, "here", ["b", "a"])
    assert read_stops(tmp_path) == {}
    older = {"schema_version": SCHEMA_VERSION, "trials": ["a"]}
    (tmp_path / "plan" / "here.json").write_text(json.dumps(older))
    assert (read_plans(tmp_path), read_stops(tmp_path)) == ({"here": frozenset({"a"})}, {})

"""Looks in a record: what cannot be is refused, with the field and the reason."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

import results
from results.records.directory import read_record
from results.records.files import RecordError
from results.records.inside import LayerCurves
from results.report.section import Group, Paragraph
from results.report.sections.inside import TOPIC
from tests.results.damage import damaged
from tests.results.planted import Plan
from tests.results.planted_inside import WORKLOAD, curves, write_looked_at


@pytest.fixture
def looked_at(tmp_path: Path) -> Path:
    return write_looked_at(tmp_path / "run", Plan(processes=2, rounds=2, seeds=3, diverged=(1,)))


def one_record(run: Path) -> Path:
    return next(iter(sorted((run / "records").glob(f"{WORKLOAD}-baseline-*"))))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"values": [[1.0]]}, "expected 3 rows of 2 values"),
        ({"depth": [1]}, "expected 3 rows of 2 values"),
        ({"values": [[0.0, 7.5]] * 3}, "dead_share is 7.5, which it cannot be"),
        ({"values": [[0.0, -0.1]] * 3}, "dead_share is -0.1, which it cannot be"),
        ({"what": "input_variance", "values": [[1.0, -2.0]] * 3}, "input_variance is -2"),
        ({"step": [0, 60, 120]}, r"inside\[4\].step\[0\] is 0"),
        ({"values": [[True, 0.0]] * 3}, r"inside\[4\].values\[0\]\[0\]"),
        ({"colour": "red"}, "a field .*colour that nothing knows"),
    ],
)
def test_what_cannot_be_is_refused(looked_at: Path, changes: dict[str, Any], said: str) -> None:
    path = one_record(looked_at)
    content = json.loads(path.read_text())
    mine = content["outcomes"][0]["details"]["inside"]
    assert mine[4]["what"] == "dead_share"
    mine[4] |= changes
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=said):
        read_record(path)


def test_what_a_later_version_may_note_is_kept() -> None:
    assert LayerCurves("curvature", ("conv1",), (1,), (8,), (1,), ((-3.0,),)).values == ((-3.0,),)


def test_a_value_that_was_not_finite_is_null_in_the_file(looked_at: Path) -> None:
    lost = next(iter((looked_at / "records").glob(f"{WORKLOAD}-normnone-seed-1-*")))
    mine = json.loads(lost.read_text())["outcomes"][0]["details"]["inside"]
    assert mine[0]["values"][1] == [None, None, None]
    assert read_record(lost).outcomes[0].details["inside"][0].values[1] == (None, None, None)


def test_whatever_looks_are_turned_into_the_report_stands(looked_at: Path) -> None:
    chance = random.Random(5)
    path = one_record(looked_at)
    content = json.loads(path.read_text())
    for _ in range(60):
        details = content["outcomes"][0]["details"]
        bad = damaged(json.dumps(details["inside"]), chance)
        whole = json.dumps(content).replace(json.dumps(details["inside"]), bad.decode("utf-8", "replace"))
        path.write_text(whole, encoding="utf-8")
        analysis = results.load(looked_at).analysis
        section = TOPIC.build(analysis, analysis.names[0])
        assert [type(part) for part in section.evidence] == [Paragraph, Group]


def test_curves_survive_writing_and_reading(looked_at: Path) -> None:
    assert read_record(one_record(looked_at)).outcomes[0].details["inside"] == curves("baseline", 0)

"""A study's history: blocks added to what was seen are a look, and anything else is another study."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from results.records.directory import own_folder, write_record
from results.records.record import Outcome, Record
from results.records.resolved_study import ResolvedStudy, read_study, write_study
from runners import study
from runners.declared import marked
from runners.plan import plan

Resolve = Callable[..., ResolvedStudy]
STUDY = """
architecture = "resnet"
looks = {looks}
[factors]
stem = ["shallow", "deep32"]
[[workloads]]
kind = "throughput"
levels = {{ depth = 18, width = 4 }}
image_size = {image_size}
processes = {processes}
{more}
"""


@pytest.fixture
def resolve(tmp_path: Path) -> Resolve:
    def of(processes: int = 6, image_size: int = 32, looks: int = 1, more: str = "") -> ResolvedStudy:
        path = tmp_path / "study.toml"
        path.write_text(STUDY.format(processes=processes, image_size=image_size, looks=looks, more=more))
        return plan(study.load(str(path))).study

    return of


def record(block: int) -> Record:
    outcome = Outcome("baseline", "resnet:depth=18", {})
    started = datetime(2026, 1, 1, 0, block, tzinfo=UTC).isoformat()
    return Record(f"{block:016x}", "throughput", f"process-{block}", "here", 1, started, 1.0, (outcome,))


def kept(directory: Path, known: ResolvedStudy, blocks: int) -> None:
    """A directory that holds the study, and so many blocks."""
    own_folder(directory, "records")
    write_study(directory, known)
    for block in range(len(list((directory / "records").iterdir())), blocks):
        write_record(directory, record(block))


def test_processes_added_after_a_verdict_was_there_are_a_look_and_no_other_question(
    tmp_path: Path, resolve: Resolve
) -> None:
    kept(tmp_path, resolve(6), 6)
    twelve = marked(resolve(12), tmp_path)
    assert (twelve.extended, twelve.exploratory) == (("throughput from 6 to 12",), ())
    assert twelve.looks_taken == 2
    kept(tmp_path, twelve, 12)
    assert read_study(tmp_path) == twelve
    assert marked(resolve(12), tmp_path).extended == twelve.extended, "resumed, not extended"
    assert marked(resolve(20), tmp_path).extended == (*twelve.extended, "throughput from 12 to 20")


def test_before_anything_can_be_decided_nobody_has_looked(tmp_path: Path, resolve: Resolve) -> None:
    kept(tmp_path, resolve(6), 5)
    assert marked(resolve(12), tmp_path).extended == ()
    assert marked(resolve(12), tmp_path).exploratory == ()


def test_raising_what_a_stopping_rule_may_reach_is_a_look_too(tmp_path: Path, resolve: Resolve) -> None:
    rule = "half_width = 0.02\nmax_processes = {}"
    kept(tmp_path, resolve(10, more=rule.format(12)), 10)
    assert marked(resolve(10, more=rule.format(16)), tmp_path).extended == ("throughput from 12 to 16",)
    narrower = marked(resolve(10, more="half_width = 0.01\nmax_processes = 16"), tmp_path)
    assert (narrower.extended, narrower.exploratory) == ((), ("workloads",))


@pytest.mark.parametrize(
    ("change", "named"),
    [({"image_size": 64}, "workloads"), ({"processes": 7}, "workloads"), ({"looks": 2}, "looks")],
)
def test_whatever_else_changes_makes_it_exploratory(
    tmp_path: Path, resolve: Resolve, change: dict[str, int], named: str
) -> None:
    kept(tmp_path, resolve(8), 8)
    changed = marked(resolve(**{"processes": 8} | change), tmp_path)
    assert changed.exploratory == (named,)
    assert changed.extended == ()


def test_more_and_something_else_is_another_study(tmp_path: Path, resolve: Resolve) -> None:
    kept(tmp_path, resolve(6), 6)
    changed = marked(resolve(12, image_size=64), tmp_path)
    assert (changed.extended, changed.exploratory) == ((), ("workloads",))

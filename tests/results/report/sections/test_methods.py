"""What the methods say of a run's own history."""

from dataclasses import replace

import pytest

from results.report.section import Bullets, Section
from results.report.sections import methods
from results.run import Run

ADDED = ("throughput from 6 to 12", "throughput from 12 to 18")


def extended(run: Run, times: int, looks: int) -> Section:
    study = replace(run.analysis.study, extended=ADDED[:times], looks=looks)
    return methods.build(replace(run.analysis, study=study), "")


def looks_in(section: Section) -> list[str]:
    bullets = [part for part in section.evidence if isinstance(part, Bullets)]
    return [s.text for part in bullets for s in part.sentences if s.lead == "Looks:"]


def test_blocks_added_beyond_what_was_declared_stand_at_the_top(run: Run) -> None:
    (alert,) = extended(run, 2, 2).alerts
    assert alert.title == "Extended beyond its declaration."
    said = alert.text
    assert "throughput from 6 to 12; throughput from 12 to 18" in said
    assert "3 looks of 2 declared" in said
    assert "Declare looks = 3" in said


@pytest.mark.parametrize(("times", "looks"), [(0, 1), (0, 3)])
def test_a_run_that_was_not_extended_says_nothing_of_it(run: Run, times: int, looks: int) -> None:
    section = extended(run, times, looks)
    assert not section.alerts
    assert not looks_in(section)


def test_looks_within_the_declaration_are_told_with_their_level(run: Run) -> None:
    section = extended(run, 1, 2)
    assert not section.alerts
    (said,) = looks_in(section)
    assert "2 looks of 2 declared, each at 2.5 %" in said

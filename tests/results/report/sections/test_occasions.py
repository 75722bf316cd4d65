"""What the report says verdicts of time hold for."""

from pathlib import Path

import pytest

import results
from results.report.document import document
from results.report.section import Bullets, Group, Paragraph, Part
from results.run import Run
from tests.results.planted import Plan, write_run


def said(run: Run, anchor: str) -> str:
    """The sentences of a section; empty where there is no such section."""

    def sentences(parts: list[Part]) -> list[str]:
        found = []
        for part in parts:
            if isinstance(part, Group):
                found += sentences(list(part.parts))
            elif isinstance(part, Paragraph | Bullets):
                found += [sentence.text for sentence in part.sentences]
        return found

    sections = {
        section.anchor: [*section.parts, *section.evidence] for section in document(run.analysis).sections
    }
    return " ".join(sentences(sections.get(anchor, [])))


def test_with_one_occasion_a_line_names_it_and_how_to_add_one(run: Run) -> None:
    assert "Timed verdicts hold for this machine on this occasion." in said(run, "throughput")
    assert "--again" in said(run, "throughput")
    assert said(run, "occasions") == ""
    assert "occasions" not in document(run.analysis).data


@pytest.mark.parametrize(
    ("occasions", "hold", "again"),
    [
        (2, "on these 2 occasions: n counts the processes of all; 6 would speak for the machine.", True),
        (6, "Timed verdicts hold for this machine: n counts its 6 occasions.", False),
    ],
)
def test_with_several_it_is_told_how_much_varies(
    tmp_path: Path, occasions: int, hold: str, again: bool
) -> None:
    plan = Plan(seeds=1, rounds=2, occasions=occasions, occasion_sd=0.05)
    run = results.load(write_run(tmp_path / "run", plan))
    for anchor in ("throughput", "occasions"):
        assert hold in said(run, anchor)
        assert ("--again" in said(run, anchor)) == again
    assert "Between occasions effects have a standard deviation of up to ±" in said(run, "occasions")
    assert "apart" not in said(run, "occasions")
    assert len(document(run.analysis).data["occasions"]) == 16, "two modes, eight arms"


def test_occasions_within_the_hour_are_told(tmp_path: Path) -> None:
    plan = Plan(seeds=1, rounds=2, occasions=2, hours_apart=0)
    run = results.load(write_run(tmp_path / "run", plan))
    assert "Two occasions began 0 minutes apart" in said(run, "occasions")

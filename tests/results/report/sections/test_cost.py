"""The section on what a run took: its sums are those of the records, by hand."""

from dataclasses import replace

import pytest

import results
from results.records.directory import read_record, write_record
from results.report.section import Figure, Paragraph, Section, Table
from results.report.sections.cost import TOPIC
from results.run import Run
from results.tables.verdict_words import DUPLICATE
from tests.results.planted import ENVIRONMENT, HUGE, Plan, write_run

# Seconds of a process by workload; the planted run has 8 arms, 3 processes of all arms and 2 seeds of each.
SECONDS = {"complexity": 1.0, "memory-224": 2.0, "throughput-64": 80.0, "digits-32": 30.0}
TOTAL = 8 * 1 + 8 * 2 + 3 * 80 + 16 * 30


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = write_run(tmp_path_factory.mktemp("runs") / "timed", Plan(processes=3, seeds=2, diverged=()))
    for file in (path / "records").iterdir():
        one = read_record(file)
        file.unlink()
        write_record(path, replace(one, seconds=SECONDS[one.workload]))
    return results.load(path)


@pytest.fixture(scope="module")
def section(timed: Run) -> Section:
    return TOPIC.build(timed.analysis, ENVIRONMENT)


def test_the_sentences_have_the_sums(section: Section) -> None:
    said, _ = section.parts
    assert isinstance(said, Paragraph)
    first, second, third = (sentence.text for sentence in said.sentences)
    assert TOTAL == 744
    assert first == (
        "35 processes took 12 min in all: 65 % of it digits-32, 32 % of it throughput-64, 2 % of it "
        "memory-224 and 1 % complexity."
    )
    # Every change took the same here, and of those the first is told.
    assert second == "The change that took most was stem=deep64 (93 s)."
    # Of the arm that fits nowhere: memory 2 s, 10 s of each of three processes, two trainings of 30 s.
    assert third == f"{100 * (2 + 30 + 60) / TOTAL:.0f} % went into what did not end well."


def test_the_tables_have_them_too(section: Section) -> None:
    _, workloads, changes, *_ = section.evidence
    assert isinstance(workloads, Table)
    assert isinstance(changes, Table)
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in workloads.rows}
    assert rows["throughput-64"] == ["3", "4 min", "32 %", "80.0 s", "30 s out of memory"]
    assert rows["digits-32"] == ["16", "8 min", "65 %", "30.0 s", "60 s not applicable"]
    own = {row[0].text: [cell.text for cell in row[1:]] for row in changes.rows}
    assert own[HUGE] == ["7", "93 s", "12 %", "60 s not applicable, 32 s out of memory"]
    assert DUPLICATE in own


def test_the_bars_are_as_long_as_the_sums(section: Section) -> None:
    figure = section.parts[1]
    assert isinstance(figure, Figure)
    workloads, changes = figure.draw().axes
    for axis, truth in (
        (workloads, dict(zip(SECONDS, (8.0, 16.0, 240.0, 480.0), strict=True))),
        (changes, dict.fromkeys((label.get_text() for label in changes.get_yticklabels()), 93.0)),
    ):
        names = [label.get_text() for label in axis.get_yticklabels()]
        ends = dict.fromkeys(names, 0.0)
        for container in axis.containers:
            for name, bar in zip(names, container, strict=True):
                ends[name] = max(ends[name], bar.get_x() + bar.get_width())
        assert ends == pytest.approx(truth)
    assert DUPLICATE in [label.get_text() for label in changes.get_yticklabels()]


def test_an_environment_without_records_has_no_section(timed: Run) -> None:
    section = TOPIC.build(timed.analysis, "elsewhere")
    assert not section.parts
    assert not section.evidence

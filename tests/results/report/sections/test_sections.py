"""Topics of the report: each has its place, is found by discovery, and says what its rows say."""

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

import results
from results.records.directory import read_record, write_record
from results.report import topics
from results.report.document import Laid, document
from results.report.renderers.page import page
from results.report.section import (
    Bullets,
    Entry,
    Figure,
    Group,
    Paragraph,
    Part,
    Section,
    Table,
    Topic,
    words,
)
from results.run import Run
from results.tables.analysis import Analysis
from tests.results.planted import STEM, Plan, write_run


def flat(parts: list[Part]) -> list[Part]:
    """All parts, those within groups included."""
    return [one for part in parts for one in (flat(list(part.parts)) if isinstance(part, Group) else [part])]


def whole(section: Section | Laid) -> list[Part]:
    """What everyone reads, and the evidence, those within groups included."""
    return flat([*section.parts, *section.evidence])


def parts(run: Run, anchor: str) -> list[Part]:
    return whole(next(s for s in document(run.analysis).sections if s.anchor == anchor))


def text_of(part: Part) -> str:
    match part:
        case Table():
            return " ".join(f"{cell.text} {cell.detail}" for row in part.rows for cell in row)
        case Paragraph() | Bullets():
            return " ".join(f"{sentence.lead} {sentence.text}" for sentence in part.sentences)
        case Figure():
            return f"{part.title} {part.alt}"
    return ""


@pytest.mark.parametrize("topic", topics.topics(), ids=lambda topic: topic.name)
def test_every_topic_says_what_it_is_and_every_table_is_whole(topic: Topic, run: Run) -> None:
    assert topic.summary
    assert topic.title
    section = topic.build(run.analysis, run.analysis.names[0])
    for part in whole(section):
        if isinstance(part, Table):
            assert {len(row) for row in part.rows} <= {len(part.columns)}
            assert len(part.groups) in {0, len(part.columns)}
        if isinstance(part, Figure):
            assert len(part.alt) > 20, "what it shows, for those who do not see it"
            assert part.title
    for name, frame in section.data.items():
        assert name.isidentifier()
        assert isinstance(frame, pd.DataFrame)


@pytest.mark.parametrize("topic", topics.topics(), ids=lambda topic: topic.name)
def test_everyone_reads_sentences_and_at_most_two_figures(topic: Topic, run: Run) -> None:
    """Tables are the answer's and the claims'; whoever wants others looks them up."""
    section = topic.build(run.analysis, run.analysis.names[0])
    everyone = flat(list(section.parts))
    if topic.name in {"effects", "undecided", "failed", "methods"}:
        assert not everyone
        assert section.evidence
    if topic.name != "answer":
        assert sum(isinstance(part, Figure) for part in everyone) <= 2
        assert topic.name == "claims" or not any(isinstance(part, Table) for part in everyone)


def test_topics_stand_at_places_of_their_own() -> None:
    orders = [topic.order for topic in topics.topics()]
    assert len(set(orders)) == len(orders)
    assert topics.topics()[0].name == "answer"


def test_interactions_are_told_on_the_page_and_not_in_a_file_alone(run: Run) -> None:
    said = " ".join(map(text_of, parts(run, "interactions")))
    time = run.interactions().query("metric == 'step_seconds' and mode == 'train'").iloc[0]
    assert time["verdict"] == "worse"
    assert "norm=none" in said
    assert "stem=deep64" in said
    assert f"{100 * (time['effect'] - 1):+.0f} %" in said


def test_each_environment_has_sections_of_its_own_and_what_it_lacks_is_missing(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(environments=("laptop-1", "server-2"), seeds=2, processes=2))
    for file in (path / "records").glob("digits-32-*server-2*"):
        file.unlink()
    run = results.load(path)
    missing = run.analysis.missing
    assert set(missing["environment"]) == {"server-2"}
    assert set(missing["workload"]) == {"digits-32"}
    assert set(missing["recorded"]) == {0}
    said = document(run.analysis)
    assert any("plan is not complete" in alert.title for alert in said.alerts)
    titles = [section.title for section in said.sections]
    assert {"What each choice costs and buys on laptop-1", "What each choice costs and buys on server-2"} <= {
        *titles
    }
    failed = next(section for section in said.sections if section.anchor == "failed")
    table = next(p for p in whole(failed) if isinstance(p, Table) and p.caption == "Missing trials")
    assert {row[1].text for row in table.rows} == {"server-2"}


def test_what_a_failed_trial_printed_is_named_and_equal_reasons_stay_one(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(seeds=3, processes=2))
    for number, file in enumerate(sorted((path / "records").glob("digits-32-stemdeep64-*"))):
        one = read_record(file)
        file.unlink()
        bad = replace(one.outcomes[0], status="failed", reason="RuntimeError: no", measurements=())
        log = f"logs/{number}.txt"
        write_record(path, replace(one, outcomes=(bad,), details={**one.details, "log": log}))
    run = results.load(path)
    said = [text_of(part) for part in parts(run, "failed")]
    (listed,) = [text for text in said if "what it printed: logs/0.txt" in text]
    assert listed.count("RuntimeError: no") == 1
    assert f"{STEM} in digits-32 (3 trials): RuntimeError: no" in listed
    assert any("logs/0.txt, logs/1.txt, logs/2.txt" in text for text in said)


def test_a_topic_of_a_plugin_stands_in_the_report_with_its_figure_table_and_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "_registered", {})
    topics.register(_PARAMETERS)
    said = document(run.analysis)
    anchors = [section.anchor for section in said.sections]
    assert anchors.index("parameters") == anchors.index("answer") + 1
    html = page(said, lambda _: ("", ""))
    assert 'href="#parameters"' in html
    assert "Eleven million, drawn" in html
    assert "parameter_table" in said.data


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("no topic", "expected a results.report.section.Topic"),
        (Topic("answer", "Mine", 5, lambda *_: Section()), "'answer' is there already"),
    ],
)
def test_what_is_no_topic_or_has_a_name_that_is_taken_is_refused(
    topic: Topic, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "_registered", {})
    with pytest.raises(ValueError, match=said):
        topics.register(topic)


def _build(run: Analysis, _: str) -> Section:
    frame = run.measurements.query("metric == 'parameters'")
    rows = [[Entry(row["arm"]), Entry(f"{row['value']:,.0f}")] for row in frame.to_dict("records")]
    return Section(
        [
            words("As many numbers are learnt."),
            Table(["arm", "parameters"], rows, "Parameters"),
            Figure("parameters", "Eleven million, drawn", "A point for each of the arms.", _draw),
        ],
        data={"parameter_table": frame},
    )


def _draw() -> Drawing:
    figure, axis = plt.subplots()
    axis.plot([1], [1])
    return figure


_PARAMETERS = Topic("parameters", "Parameters", 11, _build, per_environment=False, summary="learnt numbers")

"""`report.md`: whatever a run holds, at most 120 lines that can be pasted into a pull request."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import results
from results.records.directory import write_record
from results.records.files import write_json
from results.records.record import Measurement, Outcome, Record
from results.records.resolved_study import Arm, FactorInfo, ResolvedStudy, Workload, write_study
from results.report.document import Document, Head, Laid, document
from results.report.renderers.brief import brief_markdown
from results.report.section import Alert, Bullets, Entry, Paragraph, Sentence, Table
from results.report.write import Report
from tests.results.planted import METRICS, NORM, STEM

MOST_LINES = 120


def write_large_run(path: Path, arms: int, workloads: int) -> Path:
    """A run of many arms and workloads; every arm saves as many MiB of 1,000 as its number says."""
    names = ["baseline", "(control)", *(f"choice={number}" for number in range(1, arms + 1))]
    factor = FactorInfo("choice", "behavioural", "Which.", tuple(map(str, range(arms + 1))))
    roles = {"baseline": "baseline", "(control)": "control"}
    planned = tuple(
        Arm(name, roles.get(name, "arm"), {} if name in roles else {"choice": name.partition("=")[2]})  # type: ignore[arg-type]
        for name in names
    )
    described = tuple(
        Workload(
            *(f"memory-{size}", "memory", "exact", 1, {name: f"net:{name}" for name in names}),
            input_size=size,
            batch_size=1,
            precision="fp32",
            dataset=None,
            context=f"net, {size} px",
            settings={},
        )
        for size in range(32, 32 * (workloads + 1), 32)
    )
    study = ResolvedStudy(
        "large", "Which?", "net", "one-at-a-time", 1, (factor,), planned, described, METRICS
    )
    write_study(path, study)
    for environment in ("laptop-1", "server-2"):
        write_json(path / "environment" / f"{environment}.json", {"cpu": "Example CPU"})
        for workload in described:
            for number, name in enumerate(names):
                peak = float(2**20 * (1000 - max(0, number - 1)))
                value = Measurement("peak_bytes", (peak,), "simulated", "cuda", mode="train")
                lost = number % 10 == 9
                done = Outcome(name, f"net:{name}", {"choice": name}, measurements=(value,))
                failed = Outcome(name, f"net:{name}", {"choice": name}, "failed", f"it broke: {number}")
                trial = f"{workload.name}-{number}-{environment}"
                started = "2026-01-01T00:00:00+00:00"
                write_record(
                    path,
                    Record(
                        *(trial, workload.name, "exact", environment, 1, started, 1.0),
                        (failed if lost else done,),
                    ),
                )
    return path


def tables_of(markdown: str) -> list[list[list[str]]]:
    """Every table of a Markdown text as GitHub reads it, heads first."""
    blocks = re.findall(r"(?:^\|.*(?:\n|\Z))+", markdown, flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()]
        for block in blocks
    ]


def test_a_run_of_many_arms_and_workloads_in_two_places_stays_short(tmp_path: Path) -> None:
    run = results.load(write_large_run(tmp_path / "run", arms=60, workloads=12))
    said = brief_markdown(document(run.analysis))
    lines = said.splitlines()
    assert 60 < len(lines) <= MOST_LINES, "and the room is used"
    assert "What each choice costs and buys on laptop-1" in said
    assert "What each choice costs and buys on server-2" in said
    assert re.search(r"\d+ more rows and \d+ more contexts in the details\.", said)
    assert "[details.md](details.md)" in said
    tables = tables_of(said)
    assert tables
    for heads, rule, baseline, *rows in tables:
        assert {len(line) for line in (heads, rule, baseline, *rows)} == {2}
        assert baseline == ["baseline", "1,000 MiB"]
        assert len(rows) >= 3
        for name, cell in rows:
            # What is decided is kept: 10 MiB less of 1,000 is beyond a margin of 1 % on the logarithm.
            assert int(name.partition("=")[2]) >= 10
            assert cell.startswith("▲")
    assert max(len(line) for line in lines if line.startswith("|")) <= 100


def test_all_of_a_small_run_is_there(report: Report) -> None:
    said = (report.index.parent / "report.md").read_text(encoding="utf-8")
    assert len(said.splitlines()) <= MOST_LINES
    assert said.startswith("# planted\n\nWhich details of a small residual network earn their keep?")
    rows = {row[0] for table in tables_of(said) for row in table}
    assert {"baseline", STEM, NORM} <= rows
    assert "more rows" not in said
    assert "**resnet, 64 px, batch 32, fp32, measured cpu** (n = 6 processes, margin ±5.0 %)" in said
    assert "△ better, ▽ worse, perhaps by less than counts" in said
    assert re.search(r"^Noise .*step time, train \\\[throughput-64\\\] ±", said, flags=re.MULTILINE)
    links = re.findall(r"\]\(([^)]*)\)", said)
    assert links[-1] == "details.md"
    assert len(links) > 1
    assert all((report.index.parent / link).is_file() for link in links)


def test_the_gravest_alert_comes_first_and_not_all_of_its_items(broken: results.Run) -> None:
    said = brief_markdown(document(broken.analysis))
    assert said.startswith("> **✗ This report is invalid")
    assert len(said.splitlines()) <= MOST_LINES


texts = st.text(max_size=12)
entries = st.builds(Entry, texts, st.sampled_from(["", "better", "worse", "inconclusive"]), detail=texts)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(st.integers(2, 9))
    count = draw(st.sampled_from([0, 1, 4, 30, 200]))
    row = draw(st.lists(entries, min_size=columns, max_size=columns))
    groups: Sequence[str] = ()
    if draw(st.booleans()):
        groups = ["", *sorted(draw(st.sampled_from("abcdef")) for _ in range(columns - 1))]
    return Table([f"c{n}" for n in range(columns)], [row] * count, draw(texts), groups, brief=True)


sentences = st.lists(st.builds(Sentence, texts, texts), max_size=20)
parts = st.one_of(
    tables(),
    st.builds(Paragraph, sentences, st.just(True)),
    st.builds(Bullets, sentences, st.integers(1, 30)),
)


@settings(max_examples=60)
@given(
    alerts=st.lists(st.builds(Alert, texts, texts, st.lists(texts, max_size=20)), max_size=9),
    sections=st.lists(st.builds(Laid, st.just("a"), texts, st.lists(parts, max_size=9)), max_size=12),
    contexts=st.lists(texts, max_size=40),
)
def test_no_document_is_longer(alerts: list[Alert], sections: list[Laid], contexts: list[str]) -> None:
    head = Head("name\nof two lines", "Is it\nso?", "", "Some.", contexts, "Study 1.")
    said = brief_markdown(Document(head, alerts, sections, {}))
    assert len(said.split("\n")) <= MOST_LINES + 1, "the last one is empty"
    assert len(re.findall(r"^> \*\*", said, flags=re.MULTILINE)) == min(3, len(alerts))
    for found in tables_of(said):
        assert len({len(line) for line in found}) == 1


@pytest.mark.parametrize("rows", [1, 500])
def test_a_table_says_what_it_leaves_out(rows: int) -> None:
    cells = [
        [Entry(f"row {n}"), Entry("?", "inconclusive" if n < rows - 1 else "worse")] for n in range(rows)
    ]
    laid = Laid("a", "A", [Table(["row", "answer"], cells, "All", brief=True)])
    said = brief_markdown(Document(Head("n", "q", "", "l", [], "f"), [], [laid], {}))
    (table,) = tables_of(said)
    shown = [row[0] for row in table[2:]]
    assert shown[-1] == f"row {rows - 1}", "what is decided is kept"
    assert shown[:-1] == [f"row {n}" for n in range(len(shown) - 1)], "in their order"
    assert (f"{rows - len(shown)} more rows in the details." in said) == (len(shown) < rows)

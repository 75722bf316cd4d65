import csv
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

import results
from results.report.section import Bullets, Group, Paragraph, Table
from results.report.write import Report
from results.run import Run
from tests.results.planted import HUGE, NORM, POOL, RELU, STEM, Plan, write_run

EFFECTS = """
workload, metric, unit, mode, factor, level, baseline_level, variant, baseline_variant, dataset, split,
input_size, batch_size, precision, device, environment, source, baseline_value, value, effect,
effect_kind, ci_low, ci_high, n, block_unit, p_value, p_adjusted, family, margin, n_needed, verdict, note
"""
EFFECTS_COLUMNS = [name.strip() for name in EFFECTS.split(",")]
TABLES = ("effects", "interactions", "variants", "claims", "trials", "noise_floor")
FIGURES = (
    *("effects", "tradeoff", "interactions", "two-by-two", "memory", "throughput", "seeds", "convergence"),
    *("noise-floor", "cost"),
)
HOSTILE = "<script>alert('arm')</script>|*x*"
REASON = '<img src="https://example.org/x" onerror=alert(1)> $\\frac{1}{2}$ | _x_\nsecond line'


class Page(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(report: Report) -> Page:
    return Page(report.index.read_text(encoding="utf-8"))


def table(report: Report, name: str) -> pd.DataFrame:
    return pd.read_csv(report.index.parent / "tables" / f"{name}.csv")


def test_the_files_of_the_contract_are_there(report: Report) -> None:
    folder = report.index.parent
    assert (folder / "details.md").is_file()
    found = {path.name for path in (folder / "tables").iterdir()}
    assert found == {f"{name}.csv" for name in (*TABLES, "throughput", "diagnostics")}
    figures = {path.name for path in (folder / "figures").iterdir()}
    assert figures == {f"{name}.{end}" for name in FIGURES for end in ("svg", "png")}


def test_the_columns_of_the_contract_come_first_and_in_order(report: Report) -> None:
    assert list(table(report, "effects").columns)[: len(EFFECTS_COLUMNS)] == EFFECTS_COLUMNS
    assert list(table(report, "interactions").columns)[: len(EFFECTS_COLUMNS)] == EFFECTS_COLUMNS
    assert ",".join(table(report, "claims").columns[:10]) == (
        "claim,source,statement,predicted,measured,ci_low,ci_high,verdict,reason,evidence"
    )


def test_the_control_has_its_rows(report: Report) -> None:
    control = table(report, "effects").query("factor == '(control)'")
    assert set(control["level"]) == {"duplicate"}
    assert {"step_seconds", "test_accuracy", "peak_bytes"} <= set(control["metric"])


def test_tables_read_back_as_they_were(run: Run, report: Report) -> None:
    one, other = run.effects(control=True), table(report, "effects")
    for name in ("effect", "ci_low", "p_adjusted"):
        pd.testing.assert_series_equal(one[name], other[name], check_dtype=False)


def test_the_page_needs_nothing_but_itself(report: Report) -> None:
    found = page(report)
    sources = [a.get("src") or a.get("href") or "" for _, a in found.tags if "src" in a or "href" in a]
    assert sources
    assert all(source.startswith(("data:,", "#")) for source in sources)
    assert not [tag for tag, _ in found.tags if tag in {"iframe", "object", "embed", "base", "img"}]
    assert [given for tag, given in found.tags if tag == "script"] == [{}], "ours, in the page"
    assert "@import" not in report.index.read_text(encoding="utf-8")


def test_the_page_is_accessible(report: Report) -> None:
    tags = page(report).tags
    assert all(len(a.get("aria-label") or "") > 20 for _, a in tags if a.get("role") == "img")
    assert {a.get("aria-hidden") for tag, a in tags if tag == "svg"} == {"true"}, "named by what holds them"
    assert all(a.get("scope") in {"col", "row", "colgroup"} for tag, a in tags if tag == "th")
    assert ("html", {"lang": "en"}) in tags
    ids = [a["id"] for _, a in tags if a.get("id")]
    assert len(ids) == len(set(ids))
    links = {(a.get("href") or "")[1:] for tag, a in tags if tag == "a"}
    assert links <= set(ids), "every link within the page leads somewhere"


def test_the_answer_comes_first_and_each_sentence_is_of_one_context(report: Report) -> None:
    text = page(report).text
    assert text.index("Costs accuracy:") < text.index("Every effect, workload by workload")
    memory = "resnet, 224 px, batch 256, fp32, simulated cuda:"
    time = "resnet, 64 px, batch 32, fp32, measured cpu:"
    accuracy = "resnet, 32 px, batch 32, fp32, digits:"
    said = words(report)
    assert (
        said[NORM][memory]
        == "Saves 28 % of peak memory, train (exact) and 28 % of peak memory, inference (exact)."
    )
    assert said[NORM][time].startswith("Saves 9.")
    assert said[STEM][accuracy] == ("Gains 3.1 points of test accuracy (+2.7 to +3.5 points, n = 8).")
    assert said[RELU][accuracy] == "Leaves unchanged: test accuracy (the same, bit for bit)."
    assert said[HUGE][time].startswith(
        "No value: step time, train (width=huge: out of memory in all 6 processes"
    )
    assert said[POOL][accuracy] == (
        "Changes nothing here: test accuracy (no shape, operator or output differs)."
    )


def words(report: Report) -> dict[str, dict[str, str]]:
    """By arm and context what the answer says."""
    answer = next(section for section in report.document.sections if section.anchor == "answer")
    groups = next(part.parts for part in answer.evidence if isinstance(part, Group))
    found = {}
    for group in groups:
        assert isinstance(group, Group)
        (bullets,) = group.parts
        assert isinstance(bullets, Bullets)
        found[group.title.partition(", instead of")[0]] = {s.lead: s.text for s in bullets.sentences}
    return found


def test_every_column_of_the_answer_names_its_context_and_precision(report: Report) -> None:
    source = report.index.read_text(encoding="utf-8")
    for context, columns in (
        ("resnet, 32 px, batch 32, fp32", 1),
        ("resnet, 224 px, batch 256, fp32, simulated cuda", 2),
        ("resnet, 64 px, batch 32, fp32, measured cpu", 2),
        ("resnet, 32 px, batch 32, fp32, digits", 2),
    ):
        assert source.count(f'<small class="context">{context}</small>') == columns
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    assert (
        "peak memory, train (exact, margin ±1.0 %; baseline 6.00 GiB) "
        "\\[resnet, 224 px, batch 256, fp32, simulated cuda\\]" in markdown
    )


def test_page_and_markdown_say_the_same(report: Report) -> None:
    text = " ".join(page(report).text.split())
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    for said in (
        "processes in all, from the spread alone",
        "Which details of a small residual network earn their keep?",
        "needs 96 GiB, 24 GiB are free",
        "Example CPU, 2 cores",
        "loss is not finite at step 40",
    ):
        assert said in text
        assert said in markdown
    assert "![" in markdown
    for link in re.findall(r"\]\((figures/[^)]*)\)", markdown):
        assert (report.index.parent / link).is_file()


def test_markdown_tables_have_as_many_cells_as_columns(report: Report) -> None:
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE)
    assert len(tables) > 10
    for found in tables:
        lines = found.splitlines()
        assert set(lines[1]) <= set("| -"), found
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert len(widths) == 1, found


@pytest.mark.usefixtures("quick")
def test_hostile_names_and_reasons_come_out_as_text_in_every_environment(tmp_path: Path) -> None:
    plan = Plan(rename={STEM: HOSTILE}, reason=REASON, seeds=2, environments=("laptop-1", "server-2"))
    report = results.load(write_run(tmp_path / "run", plan)).report()
    found = page(report)
    assert f"{HOSTILE}, instead of stem = shallow" in found.text
    for name in plan.environments:
        assert f"What each choice costs and buys on {name}".lower() in found.text.lower()
        assert (report.index.parent / "figures" / f"effects-{name}.svg").is_file()
    assert [tag for tag, _ in found.tags].count("script") == 1, "the page's own"
    assert not [a for _, a in found.tags if "onerror" in a]
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    assert "<" not in markdown
    assert "&lt;/script&gt;\\|\\*x\\*" in markdown


@pytest.mark.usefixtures("quick")
def test_no_cell_of_a_table_is_a_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    formula = '=HYPERLINK("http://example.org","click")'
    plan = Plan(reason=formula, rename={STEM: "@SUM(1,1)", NORM: "-norm"}, seeds=2, processes=2)
    report = results.load(write_run(tmp_path / "run", plan)).report()
    seen = False
    for path in (report.index.parent / "tables").iterdir():
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            for column, cell in row.items():
                if cell.lstrip()[:1] in {*"=+-@"}:
                    assert re.fullmatch(r"[+-]?(\d[\d.e+-]*|inf)", cell), (path.name, column, cell)
                seen |= cell == f"'{formula}"
    assert seen, "it is there, as text"


@pytest.mark.usefixtures("quick")
def test_control_characters_reach_neither_the_page_nor_the_tables(tmp_path: Path) -> None:
    evil = "bell\x07 colour\x1b[31m right-to-left\u202e null\x00 last\ufffe"
    plan = Plan(reason=evil, rename={STEM: f"stem{evil}"}, profiles=True, seeds=2, processes=2)
    path = write_run(tmp_path / "run", plan)
    report = results.load(path).report()
    for file in [*report.index.parent.rglob("*.html"), *report.index.parent.rglob("*.[mc][ds]*")]:
        text = file.read_text(encoding="utf-8")
        assert "colour" in text or file.suffix == ".csv"
        forbidden = {c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Cn"} and c not in "\n\t"}
        assert not forbidden | ({"\u202e"} & {*text}), file.name


def test_figures_are_well_formed_whatever_the_arms_are_called(tmp_path: Path) -> None:
    plan = Plan(rename={STEM: "stem\x07\x1b[31m<&>$x_1^{2"}, module="a$b\x00", profiles=True, seeds=2)
    report = results.load(write_run(tmp_path / "run", plan)).report()
    drawn = list((report.index.parent / "figures").glob("*.svg"))
    assert drawn
    for path in drawn:
        ElementTree.parse(path)


def test_a_report_that_stands_says_nothing_else(report: Report) -> None:
    assert report.valid
    assert list(report.document.alerts) == []
    text = page(report).text
    assert "invalid, or a part of it" not in text
    assert "plan is not complete" not in text


@pytest.mark.usefixtures("quick")
def test_a_failed_control_comes_first_on_the_page(broken: Run) -> None:
    report = broken.report()
    assert not report.valid
    grave, incomplete = report.document.alerts
    assert any("A/A control: step time, train [throughput-64]" in fault for fault in grave.items)
    assert any(fault.startswith(f"{RELU} [digits-32]: not bit-identical") for fault in grave.items)
    text = page(report).text
    assert text.index("This report is invalid") < text.index("What each choice costs")
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    assert markdown.startswith("> **✗ This report is invalid")
    assert "The plan is not complete" in text
    assert incomplete.text.startswith("8 combinations of environment, workload and change have fewer seeds")


def test_what_did_not_end_well_is_named(report: Report) -> None:
    assert set(report.failed["status"]) == {"out_of_memory", "diverged", "not_applicable"}
    undecided = next(section for section in report.document.sections if section.anchor == "undecided")
    meaning, table = undecided.evidence
    assert isinstance(meaning, Paragraph)
    assert isinstance(table, Table)
    metrics = [row[1].text.partition(" [")[0] for row in table.rows]
    assert len(metrics) == 4
    assert "seeds that failed to learn" in metrics


def test_a_run_without_any_record_still_reports(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(processes=1, seeds=1))
    for file in (path / "records").iterdir():
        file.unlink()
    report = results.load(path).report()
    assert "The plan is not complete" in page(report).text
    assert table(report, "effects").empty


def test_the_same_records_give_the_same_bytes(report: Report, run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.analysis.path, copy, ignore=shutil.ignore_patterns("report"))
    command = [sys.executable, "-m", "runners", "report", "--quiet", str(copy)]
    # Another process hashes texts in another way, so that no order of a set goes unseen.
    subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "12345"}, check=False, timeout=300)
    written, again = report.index.parent, copy / "report"
    files = {path.relative_to(written) for path in written.rglob("*") if path.is_file()}
    assert files == {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    assert {path.suffix for path in files} == {".html", ".md", ".csv", ".svg", ".png"}
    for path in sorted(files):
        assert (again / path).read_bytes() == (written / path).read_bytes(), path.name

"""What page, Markdown and terminal say of a verdict, of a duplicate that differs, and of n needed."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

import results
from results.report.document import Document, document
from results.report.renderers.markdown import markdown
from results.report.renderers.page import page
from results.report.renderers.terminal import show
from results.report.section import Bullets, Table
from results.run import Run
from tests.results.planted import BOTH, CONTROL, NORM, POOL, STEM, Plan, write_run
from tests.results.report.sections.test_sections import whole

DIFFERS = "The baseline's duplicate reads"


@pytest.fixture(scope="module")
def said(run: Run) -> dict[str, str]:
    """The report of the planted run, in each form."""
    return forms(document(run.analysis))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose duplicate reads a little slower than the baseline in at least one mode."""
    plan = Plan(control_time=1.014, seeds=2)
    return results.load(write_run(tmp_path_factory.mktemp("runs") / "slow", plan))


def forms(told: Document) -> dict[str, str]:
    output = io.StringIO()
    show(told, Console(file=output, width=200, color_system=None))
    html = re.sub(r"<[^>]+>", " ", page(told, lambda _: ("", "")))
    return {
        "page": " ".join(html.replace("&#39;", "'").split()),
        "markdown": " ".join(markdown(told).split()),
        "terminal": " ".join(output.getvalue().split()),
    }


def tables(run: Run, anchor: str) -> list[Table]:
    found = next(section for section in document(run.analysis).sections if section.anchor == anchor)
    return [part for part in whole(found) if isinstance(part, Table)]


def test_the_two_strengths_of_a_verdict_read_apart_in_every_form(run: Run, said: dict[str, str]) -> None:
    effects = run.effects()
    norm = effects[(effects["arm"] == NORM) & (effects["metric"] == "step_seconds")]
    assert set(norm["verdict"]) == {"better"}
    assert norm["beyond_margin"].all()
    accuracy = effects[(effects["arm"] == NORM) & (effects["metric"] == "test_accuracy")].iloc[0]
    assert (accuracy["verdict"], accuracy["beyond_margin"]) == ("worse", True)
    for form in said.values():
        assert "perhaps by less than counts" in form, "the legend, at the least"
        assert "by at least the margin" in form
    assert "▲ better (by at least the margin)" in said["markdown"]
    assert "▲ better by at least the margin" in said["page"]


def test_an_effect_that_may_not_count_has_a_hollow_sign_and_says_so(tmp_path: Path) -> None:
    # The spread of the pool's time is 6 %, the truth 4 %, the margin 5 %: with many processes it is found.
    run = results.load(write_run(tmp_path / "run", Plan(processes=60, seeds=1, rounds=1)))
    effects = run.effects()
    weak = effects[effects["verdict"].isin(["better", "worse"]) & ~effects["beyond_margin"]]
    assert POOL in set(weak["arm"])
    found = forms(document(run.analysis))
    assert "▽ worse (perhaps by less than counts)" in found["markdown"]
    assert "▽ worse perhaps by less than counts" in found["page"]
    assert re.search(r"▽ \+\d", found["terminal"])
    (words,) = {
        sentence.text
        for section in document(run.analysis).sections
        for part in whole(section)
        if isinstance(part, Bullets)
        for sentence in part.sentences
        if "measured cpu" in sentence.lead and "; perhaps by less than counts" in sentence.text
    }
    assert "Costs" in words


def test_each_row_says_what_it_would_find(run: Run) -> None:
    effects = run.effects()
    found = effects[(effects["arm"] == POOL) & (effects["metric"] == "step_seconds")]
    shown = {f"±{100 * (one - 1):.0f} %" for one in found["smallest_detectable"]}
    evidence = [table for table in tables(run, "effects") if table.caption.startswith("step time")]
    column = {table.columns.index("would find") for table in evidence}
    (place,) = column
    cells = {row[place].text for table in evidence for row in table.rows if row[0].text == POOL}
    assert cells == shown
    memory = [table for table in tables(run, "effects") if table.caption.startswith("peak memory")]
    assert memory
    assert not [table for table in memory if "would find" in table.columns], "exact figures miss nothing"


def test_n_needed_is_a_range_from_the_spread_and_invites_nobody_to_peek(
    run: Run, said: dict[str, str]
) -> None:
    effects = run.effects()
    row = effects[(effects["arm"] == POOL) & (effects["metric"] == "step_seconds")].iloc[0]
    low, high = row["n_needed_low"], row["n_needed_high"]
    assert low < row["n_needed"] < high
    clause = f"n needed: {low:,} to {high:,} processes in all, from the spread alone"
    assert clause in row["note"]
    assert clause in said["page"]
    assert clause in said["markdown"]
    (table,) = tables(run, "undecided")
    place = table.columns.index("n needed in all")
    assert f"{low:,} to {high:,}" in {row[place].text for row in table.rows}
    for form in said.values():
        assert "would decide" not in form
        assert not re.search(r"(\d|N) more (process|seed|block)", form)


def test_a_duplicate_that_differs_is_told_wherever_its_metric_stands(slow: Run) -> None:
    effects = slow.effects(control=True)
    control = effects[(effects["arm"] == CONTROL) & effects["control_differs"]]
    assert set(control["metric"]) == {"step_seconds"}
    assert not effects["fault"].eq("control").any()
    told = document(slow.analysis)
    sections = {section.anchor: whole(section) for section in told.sections}
    for anchor in ("answer", "throughput", "effects", "interactions"):
        sentences = [
            f"{sentence.lead} {sentence.text}"
            for part in sections[anchor]
            if isinstance(part, Bullets)
            for sentence in part.sentences
            if sentence.text.startswith(DIFFERS)
        ]
        assert len(sentences) == len(control), anchor
        for sentence, mode in zip(sentences, control["mode"], strict=True):
            assert sentence.startswith(f"step time, {mode} [throughput-64]: ")
            assert sentence.endswith(
                "here, where nothing differs: effects of that size are not to be believed."
            )
    for form in forms(told).values():
        assert DIFFERS in form
    mode = control["mode"].iloc[0]
    beside = effects[(effects["metric"] == "step_seconds") & (effects["mode"] == mode)].set_index("arm")[
        "note"
    ]
    for arm in (STEM, BOTH, POOL):
        assert "the baseline's duplicate differs here too, by up to " in beside[arm]
    assert beside[CONTROL].startswith("differs where nothing does, by up to ")


def test_a_quiet_duplicate_is_no_topic(run: Run, said: dict[str, str]) -> None:
    assert not run.effects()["control_differs"].any()
    for form in said.values():
        assert DIFFERS not in form
        assert "duplicate differs" not in form

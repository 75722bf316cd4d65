"""The headline table for papers and pull requests: what stands in it, and what below it."""

import re
from pathlib import Path

import pytest

import results
from results.report.paper import PaperTable, paper_table
from results.report.renderers.markdown import paper_markdown
from results.run import Run
from tests.results.planted import CONTROL, HUGE, NORM, POOL, RELU, STEM, Plan, write_run
from tests.results.planted_factorial import CHANGES, Planted, whole
from tests.results.planted_factorial import write_run as write_factorial


def table_of(run: Run, **chosen: list[str]) -> PaperTable:
    found = paper_table(run.analysis, "laptop-1", **chosen)
    assert found is not None
    return found


def rows_of(markdown: str) -> list[list[str]]:
    """The cells of the first table of a Markdown text."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.fixture(scope="module")
def cells(run: Run) -> dict[tuple[str, str], str]:
    """Cells of the Markdown by change and by the start of the column's head."""
    heads, _, *rows = rows_of(paper_markdown(table_of(run)))
    return {
        (row[0], head.partition(" (")[0].replace("\\", "")): cell
        for row in rows
        for head, cell in zip(heads[1:], row[1:], strict=True)
    }


def test_the_baselines_own_values_come_first_then_a_row_for_each_change(run: Run) -> None:
    heads, _, *rows = rows_of(paper_markdown(table_of(run)))
    names = [row[0] for row in rows]
    assert names[0] == "baseline"
    assert sorted(names[1:]) == sorted([STEM, NORM, RELU, POOL, "norm=none,stem=deep64", HUGE])
    assert CONTROL not in names
    assert rows[0][heads.index(next(head for head in heads if head.startswith("peak memory, train")))] == (
        "6.00 GiB"
    )


def test_exact_cells_have_value_and_planted_change_and_no_interval(cells: dict[tuple[str, str], str]) -> None:
    assert cells[STEM, "peak memory, train [memory-224]"] == "7.86 GiB, ▼ +31 %"
    assert cells[NORM, "peak memory, train [memory-224]"] == "4.32 GiB, ▲ −28 %"
    assert cells[RELU, "test accuracy [digits-32]"].endswith("≈ the same (bit for bit, n = 8)")
    assert cells[POOL, "test accuracy [digits-32]"].endswith(", inert")


def test_intervals_are_the_simultaneous_ones_in_the_unit_of_the_change(
    run: Run, cells: dict[tuple[str, str], str]
) -> None:
    (row,) = run.effects().query(f"arm == '{STEM}' and metric == 'test_accuracy'").to_dict("records")
    ends = ", ".join(f"{100 * row[name]:+.1f}" for name in ("ci_low", "ci_high")).replace("-", "−")
    change = f"{100 * row['effect']:+.1f}"
    assert cells[STEM, "test accuracy [digits-32]"].endswith(f"▲ {change} points \\[{ends}\\]")


def test_heads_and_notes_say_n_margin_context_noise_and_how_to_read(run: Run) -> None:
    said = paper_markdown(table_of(run)).replace("\\", "")
    assert "| step time, train [throughput-64] (n = 6 processes, margin ±5.0 %) |" in said
    assert "| peak memory, train [memory-224] (exact, margin ±1.0 %) |" in said
    assert "- memory-224: resnet, 224 px, batch 256, fp32, simulated cuda." in said
    assert "simultaneous 95 % interval" in said
    assert "△ better, ▽ worse, perhaps by less than counts" in said
    assert re.search(r"Noise of this run, .*step time, train \[throughput-64\] ±[\d.]+ %", said)
    assert run.analysis.study.digest[:12] in said


def test_a_cell_without_a_number_says_why_below_the_table(run: Run) -> None:
    found = table_of(run)
    place = found.names.index(HUGE)
    marked = [mark for mark in found.marks[place] if mark]
    assert marked
    assert "needs 96 GiB, 24 GiB are free" in " ".join(found.remarks[mark] for mark in marked)
    said = paper_markdown(found)
    for mark, remark in found.remarks.items():
        assert f"({mark}) |" in said
        assert f"- ({mark}) " in said
        assert remark not in {other for key, other in found.remarks.items() if key != mark}


def test_what_is_invalid_says_so_below_the_table(broken: Run) -> None:
    found = table_of(broken)
    column = [question.title for question in found.questions].index("step time, train")
    (mark,) = {marks[column] for marks in found.marks}
    assert "A/A control" in found.remarks[mark]
    assert "Not all that was planned is on record" in paper_markdown(found)


def test_columns_are_chosen_by_metric_and_workload(run: Run) -> None:
    found = table_of(run, metrics=["step_seconds", "macs"], workloads=["throughput-64"])
    assert [question.title for question in found.questions] == ["step time, train", "step time, inference"]
    assert list(found.contexts) == ["throughput-64"]
    assert "digits-32" not in paper_markdown(found)
    assert paper_table(run.analysis, "laptop-1", ["macs"], ["digits-32"]) is None


def test_a_factorial_answers_by_means_and_says_so(tmp_path: Path) -> None:
    plan = Planted("full-factorial", whole(("norm", "stem")), ("norm", "stem"))
    run = results.load(write_factorial(tmp_path / "run", plan))
    found = paper_table(run.analysis, run.analysis.names[0])
    assert found is not None
    assert set(found.names) == {CHANGES["norm"], CHANGES["stem"]}
    assert "averaged over the others" in found.caption
    assert "averaged over the other factors" in found.notes[0]


def test_each_environment_has_a_table_and_says_which(tmp_path: Path) -> None:
    plan = Plan(environments=("laptop-1", "server-2"), processes=2, seeds=2)
    run = results.load(write_run(tmp_path / "run", plan))
    for name in plan.environments:
        found = paper_table(run.analysis, name)
        assert found is not None
        assert f"against the baseline on {name}." in found.caption

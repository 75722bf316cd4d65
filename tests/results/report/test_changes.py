"""The table of changes, the answer in short and what a change opens to, on a run with planted truths."""

from dataclasses import replace

import numpy as np
import pytest

from results.report.changes import changes_table
from results.report.document import document
from results.report.in_short import in_short
from results.report.notes import effects_with_notes
from results.report.row_evidence import row_evidence
from results.report.section import Bullets, Dots, Group, Table
from results.report.trade import plane
from results.run import Run
from results.tables.headline import HeadlineColumn, headline_columns
from results.tables.thin import MOST_DOTS, evenly
from tests.results.planted import ACCURACY, BOTH, ENVIRONMENT, HUGE, MEMORY, NORM, POOL, RELU, STEM, TIME


@pytest.fixture(scope="module")
def columns(run: Run) -> list[HeadlineColumn]:
    return list(headline_columns(run.analysis.study, effects_with_notes(run.analysis)))


@pytest.fixture(scope="module")
def table(columns: list[HeadlineColumn]) -> Table:
    return changes_table(columns, "changes")


def column(table: Table, title: str, context: str = "") -> int:
    found = (i for i, q in enumerate(table.questions) if q.title == title and context in q.context)
    return 1 + next(found)


def test_cells_have_the_planted_change_the_value_and_a_key_to_sort_by(table: Table) -> None:
    memory = column(table, "peak memory, train")
    cells = {row[0].text: row[memory] for row in table.rows}
    for arm, ratio in MEMORY.items():
        assert cells[arm].key == pytest.approx(ratio, rel=1e-6)
    assert cells[STEM].text == "▼ +31 %"
    assert cells[STEM].value == f"{6 * MEMORY[STEM]:.2f} GiB"
    assert cells[STEM].detail == "", "exact: no interval"
    assert cells[HUGE].key is None
    time = {row[0].text: row[column(table, "step time, train")] for row in table.rows}
    assert time[STEM].key == pytest.approx(TIME[STEM][0], rel=0.03)


def test_bars_stand_where_the_change_does(table: Table) -> None:
    time = column(table, "step time, train")
    bars = {row[0].text: row[time].bar for row in table.rows}
    slow, fast = bars[STEM], bars[NORM]
    assert slow is not None
    assert fast is not None
    assert slow.effect is not None
    assert fast.effect is not None
    assert fast.effect < fast.none < slow.effect
    assert slow.low is not None
    assert slow.high is not None
    assert slow.low < slow.effect < slow.high
    memory = next(row[column(table, "peak memory, train")].bar for row in table.rows if row[0].text == STEM)
    assert memory is not None
    assert (memory.low, memory.high) == (None, None)


def test_heads_say_where_how_well_and_from_where_on(table: Table) -> None:
    memory = table.questions[column(table, "peak memory, train") - 1]
    assert (memory.known, memory.margin, memory.baseline) == ("exact", "±1.0 %", "6.00 GiB")
    time = table.questions[column(table, "step time, train") - 1]
    assert (time.known, time.mode, time.workload) == ("n = 6 processes", "train", "throughput-64")
    accuracy = table.questions[column(table, "test accuracy") - 1]
    assert accuracy.known.endswith("seeds")
    assert accuracy.mode == "", "a share of the test images is of no mode"


def test_what_changes_nothing_anywhere_comes_last(columns: list[HeadlineColumn]) -> None:
    macs = [c for c in columns if c.title == "multiply-accumulates"]
    table = changes_table(macs, "changes")
    names = [row[0].text for row in table.rows]
    assert table.idle == 4
    assert set(names[-4:]) == {NORM, RELU, POOL, HUGE}, "as many multiply-accumulates, or inert"
    assert changes_table(columns, "changes").idle == 0, "time moved"


def test_in_short_each_change_has_one_sort_by_what_was_planted(columns: list[HeadlineColumn]) -> None:
    said = {sentence.lead: sentence.text for sentence in in_short(columns)}
    gains = [arm for arm, (gain, _) in ACCURACY.items() if gain > 0.02]
    assert gains == [STEM]
    assert said["Buys accuracy:"].startswith(f"{STEM} (")
    assert "accuracy +3." in said["Buys accuracy:"]
    assert NORM in said["Costs accuracy:"]
    assert "time −9" in said["Costs accuracy:"]
    assert BOTH in said["Expensive:"]
    named = [arm for arm in (STEM, NORM, RELU, POOL) for text in said.values() if f", {arm} (" in f", {text}"]
    assert len(named) == len(set(named))


def test_a_change_opens_to_every_process_and_seed(run: Run, columns: list[HeadlineColumn]) -> None:
    opened = row_evidence(run.analysis, ENVIRONMENT, columns, [STEM])[STEM]
    groups = {part.title: part for part in opened if isinstance(part, Group)}
    (title,) = (title for title in groups if title.startswith("step time, train"))
    (dots,) = (part for part in groups[title].parts if isinstance(part, Dots))
    assert dots.unit == "process"
    raw = run.measurements.query("metric == 'step_seconds' and mode == 'train'")
    medians = {
        arm: raw[raw["arm"] == arm].groupby("block")["value"].median().to_numpy()
        for arm in ("baseline", STEM)
    }
    low, high = (f(np.concatenate(list(medians.values()))) for f in (np.min, np.max))
    for arm, values in medians.items():
        assert sorted(dots.lines[arm]) == pytest.approx(sorted((values - low) / (high - low)))
    (memory,) = (title for title in groups if title.startswith("peak memory, train"))
    assert not [part for part in groups[memory].parts if isinstance(part, Dots)], "exact"


def test_the_plane_begins_with_time_across_and_accuracy_upright(columns: list[HeadlineColumn]) -> None:
    drawn = plane(columns, [STEM, NORM])
    assert drawn is not None
    assert drawn.axes[drawn.x].title == "step time, train"
    assert drawn.axes[drawn.y].title == "test accuracy"
    assert [point.name for point in drawn.points] == [STEM, NORM]
    assert plane(columns[:1], [STEM]) is None


def test_the_answer_comes_before_all_else_and_the_forest_is_evidence(run: Run) -> None:
    answer = document(run.analysis).sections[0]
    first, second, *_ = answer.parts
    assert isinstance(first, Bullets)
    assert isinstance(second, Table)
    assert second.questions
    assert all(second.details)


def test_an_effect_within_the_noise_is_no_figure_and_no_cost(columns: list[HeadlineColumn]) -> None:
    noisy = [
        replace(column, rows=column.rows.assign(noise_floor=0.5))
        if column.title.startswith("step time")
        else column
        for column in columns
    ]
    before, after = ({s.lead: s.text for s in in_short(found)} for found in (columns, noisy))
    assert "time +" in " ".join(before.values())
    assert "time +" not in " ".join(after.values())
    assert f"time (within the noise) of {STEM}" in after["Undecided:"], "it reads worse, and may be"


def test_of_many_seeds_dots_are_few_and_spread_through_their_order() -> None:
    values = [float(value) for value in range(5_000, 0, -1)]
    few = evenly(values)
    assert len(few) == MOST_DOTS
    assert (few[0], few[-1]) == (1, 5_000)
    assert few == sorted(few)
    assert np.median(few) == pytest.approx(np.median(values), rel=0.01)
    assert evenly(values[:7]) == values[:7]


def test_of_too_many_changes_those_kept_are_shown_and_the_caption_says_so(
    columns: list[HeadlineColumn],
) -> None:
    table = changes_table(columns, "changes", kept=[STEM, RELU])
    assert [row[0].text for row in table.rows] == [STEM, RELU]
    assert table.caption == "changes (2 of 6; effects.csv has all)"

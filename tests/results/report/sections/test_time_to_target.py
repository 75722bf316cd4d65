"""The section on how soon the target is reached: planted seeds, verdicts that are there already."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D

from results.report.section import Bullets, Figure, Group, Section, Table
from results.report.sections import convergence
from results.report.sections.time_to_target import MOST_PANELS, TOPIC
from results.run import Run
from results.tables.analysis import Analysis
from results.tables.verdict_words import DUPLICATE
from results.verdicts.reached import reached
from tests.results.planted import BASELINE, CONTROL, NORM, RELU, STEM
from tests.results.report.sections.test_sections import text_of
from tests.results.verdicts.test_reached import NEVER, aimed, curves_of, outcomes_of

# A baseline of which half are there at step 40, a stem that is there at once, and a norm that seldom is.
SEEDS: dict[str, list[float]] = {
    BASELINE: [20, 40, 40, 60],
    CONTROL: [40, 40, 60, 60],
    STEM: [20, 20, 20, 20],
    NORM: [60, NEVER, NEVER, NEVER],
    RELU: [20, 40, 40, 60],
}


@pytest.fixture
def aiming(run: Run) -> Analysis:
    """The planted run, its trainings with a target and these seeds; effects are the planted run's."""
    analysis = replace(run.analysis, study=aimed())
    found = reached(analysis.study, curves_of(SEEDS), outcomes_of({NORM: 2}))
    vars(analysis).update(effects=run.analysis.effects, curves=curves_of(SEEDS), reached=found)
    return analysis


@pytest.fixture
def section(aiming: Analysis) -> Section:
    return TOPIC.build(aiming, aiming.names[0])


def said(section: Section) -> dict[str, str]:
    bullets = section.parts[0]
    assert isinstance(bullets, Bullets)
    return {sentence.lead: sentence.text for sentence in bullets.sentences}


def points(line: Line2D) -> dict[float, float]:
    x, y = (np.asarray(data, dtype=float).tolist() for data in (line.get_xdata(), line.get_ydata()))
    return dict(zip(x, y, strict=True))


def test_without_a_target_there_is_no_section(run: Run) -> None:
    section = TOPIC.build(run.analysis, run.analysis.names[0])
    assert not section.parts
    assert not section.evidence


def test_the_median_the_verdicts_and_those_that_never_got_there_are_told(
    section: Section, aiming: Analysis
) -> None:
    told = said(section)
    assert told["To 80 % validation accuracy:"].startswith(
        "half of the baseline's seeds are there at step 40 "
    )
    effects = aiming.effects.query("metric == 'steps_to_target' and factor != '(control)'")
    for verdict, words in (
        ("inconclusive", "not decided for "),
        ("equivalent", "no difference that counts "),
    ):
        count = (effects["verdict"].eq(verdict) & ~effects["inert"].astype(bool)).sum()
        assert (words in told["To 80 % validation accuracy:"]) == (count > 0)
    assert told["Never reached it:"] == f"5 of 6 seeds with {NORM} [digits-32]."


def test_earlier_and_later_are_the_verdicts_of_the_steps_and_nothing_else(aiming: Analysis) -> None:
    effects = aiming.effects.copy()
    steps = effects["metric"] == "steps_to_target"
    for arm, effect, verdict in ((STEM, 0.7, "better"), (NORM, 1.5, "worse")):
        mine = steps & (effects["arm"] == arm)
        effects.loc[mine, "effect"] = effect
        effects.loc[mine, "verdict"] = verdict
    vars(aiming)["effects"] = effects
    told = said(TOPIC.build(aiming, aiming.names[0]))["To 80 % validation accuracy:"]
    assert f"later with {NORM} (+50 %)" in told
    assert f"earlier with {STEM} (−30 %)" in told


def test_a_duplicate_that_differs_in_steps_is_told_here_and_not_among_the_curves(aiming: Analysis) -> None:
    effects = aiming.effects.copy()
    own = (effects["metric"] == "steps_to_target") & (effects["arm"] == CONTROL)
    assert own.sum() == 1
    effects.loc[own, "control_differs"] = True
    vars(aiming)["effects"] = effects
    here, there = (topic.build(aiming, aiming.names[0]) for topic in (TOPIC, convergence.TOPIC))
    assert "The baseline's duplicate reads" in text_of(here.parts[0])
    assert "duplicate reads" not in " ".join(map(text_of, there.parts))


def test_the_table_has_every_arm_and_the_duplicate_by_a_plain_name(section: Section) -> None:
    group = section.evidence[1]
    assert isinstance(group, Group)
    (table,) = group.parts
    assert isinstance(table, Table)
    rows = {row[0].text: [cell.text for cell in row[1:4]] for row in table.rows}
    assert rows[BASELINE] == ["4", "4", "40 steps"]
    assert rows[NORM] == ["6", "1", "—"]
    assert rows[STEM] == ["4", "4", "20 steps"]
    assert DUPLICATE in rows
    assert CONTROL not in rows
    assert next(row[2].detail for row in table.rows if row[0].text == NORM) == "2 diverged"
    assert "an evaluation" not in text_of(section.evidence[0])
    assert "from the evaluation on at which it had first reached" in text_of(section.evidence[0])


def test_the_figure_has_a_panel_an_arm_with_the_baseline_in_each(section: Section) -> None:
    figure = section.parts[1]
    assert isinstance(figure, Figure)
    drawn = figure.draw()
    titles = [axis.get_title(loc="left") for axis in drawn.axes if axis.get_visible()]
    assert titles == [STEM, NORM], "the duplicate and the placebo, which is the baseline's bits, have none"
    for axis, truth in zip(drawn.axes, ({0: 0, 20: 1}, {0: 0, 60: 1 / 6}), strict=False):
        base, *_ = axis.lines
        assert points(base) == pytest.approx({0: 0, 20: 1 / 4, 40: 3 / 4, 60: 1})
        arm = next(line for line in axis.lines if line.get_linestyle() == "--")
        assert points(arm) == pytest.approx(truth)
    assert any(line.get_marker() == "x" for line in drawn.axes[1].lines), "where trainings ended without"
    assert not any(line.get_marker() == "x" for line in drawn.axes[0].lines)


def test_of_many_arms_the_most_different_are_drawn_and_the_caption_says_so(aiming: Analysis) -> None:
    found = aiming.reached
    stem = found[found["arm"] == STEM]
    copies = [stem.assign(arm=f"arm-{i}", step=40.0 + i) for i in range(MOST_PANELS + 3)]
    vars(aiming)["reached"] = pd.concat([found[found["role"] == "baseline"], *copies])
    figure = TOPIC.build(aiming, aiming.names[0]).parts[1]
    assert isinstance(figure, Figure)
    assert figure.title.endswith("(the 12 of 15 that change most)")
    assert "arm-14" in figure.alt
    assert "arm-0" not in figure.alt, "at the baseline's own median"

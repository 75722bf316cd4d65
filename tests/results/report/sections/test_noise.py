"""The section on the noise floor: what drowns, what does not, and where the margin stands."""

from dataclasses import replace

import numpy as np
import pytest

from results.report.section import Bullets, Figure, Paragraph, Section, Sentence, Table
from results.report.sections import effects
from results.report.sections.noise import TOPIC
from results.run import Run
from results.tables.analysis import Analysis
from tests.results.planted import CONTROL, ENVIRONMENT

TRAIN, INFERENCE, ACCURACY = "step time, train", "step time, inference", "test accuracy"


def with_floors(run: Run, **floors: float | None) -> Analysis:
    """The planted run with floors as given, by the mode of the step time, and of the accuracy."""
    analysis = replace(run.analysis)
    noise = run.analysis.noise_floor.copy()
    for name, floor in floors.items():
        mine = (
            (noise["metric"] == "test_accuracy")
            if name == "accuracy"
            else ((noise["metric"] == "step_seconds") & (noise["mode"] == name))
        )
        noise.loc[mine, "noise_floor"] = floor
    vars(analysis).update(noise_floor=noise, effects=run.analysis.effects)
    return analysis


def sentences(section: Section) -> list[Sentence]:
    bullets = section.parts[0]
    assert isinstance(bullets, Bullets)
    return list(bullets.sentences)


def test_floors_stand_beside_their_margins(run: Run) -> None:
    floors = {"train": 0.039, "inference": 0.015, "accuracy": 0.007}
    first, second, third = sentences(TOPIC.build(with_floors(run, **floors), ENVIRONMENT))
    assert f"{first.lead} {first.text}" == (
        "Differences below this drown in the noise of this run: step time, train 3.9 % (margin 5.0 %); step "
        "time, inference 1.5 % (margin 5.0 %); test accuracy 0.7 points (margin 1.0 points)."
    )
    assert "smaller than its margin" in second.text
    assert third.text == (
        "multiply-accumulates and peak memory: the same in every process, so that any difference is real."
    )


@pytest.mark.parametrize(("floor", "told"), [(0.08, "8.0 %"), (None, "without bound")])
def test_what_reaches_beyond_the_margin_is_a_warning(run: Run, floor: float | None, told: str) -> None:
    first, second, _ = sentences(
        TOPIC.build(with_floors(run, train=floor, inference=0.01, accuracy=0.001), ENVIRONMENT)
    )
    assert f"step time, train {told} (margin 5.0 %)" in first.text
    assert second.tone == "warning"
    assert second.text == f"{TRAIN}: a difference that counts may drown there."


def test_the_bars_are_floors_and_the_lines_margins(run: Run) -> None:
    section = TOPIC.build(with_floors(run, train=0.08, inference=0.015, accuracy=0.007), ENVIRONMENT)
    figure = section.parts[1]
    assert isinstance(figure, Figure)
    drawn = figure.draw()
    found: dict[str, object] = {}
    for axis in drawn.axes:
        names = [label.get_text() for label in axis.get_yticklabels()]
        widths = [bar.get_width() for container in axis.containers for bar in container]
        margins = [float(np.asarray(line.get_xdata(), dtype=float)[0]) for line in axis.lines]
        found |= {name: one for name, *one in zip(names, widths, margins, strict=True)}
    assert found == {
        TRAIN: pytest.approx([8.0, 5.0]),
        INFERENCE: pytest.approx([1.5, 5.0]),
        ACCURACY: pytest.approx([0.7, 1.0]),
    }
    assert [axis.get_xlabel() for axis in drawn.axes] == ["% either way", "points either way"]
    legend = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert "beyond the margin" in legend


def test_a_floor_without_bound_has_no_bar_and_says_so(run: Run) -> None:
    figure = TOPIC.build(with_floors(run, train=None), ENVIRONMENT).parts[1]
    assert isinstance(figure, Figure)
    assert "without bound" in "".join(text.get_text() for text in figure.draw().axes[0].texts)


def test_the_explanation_and_the_rows_of_the_duplicate_stand_here_alone(run: Run) -> None:
    explained, floors, control = TOPIC.build(run.analysis, ENVIRONMENT).evidence
    assert isinstance(explained, Paragraph)
    assert "drowns in the noise of this run" in explained.sentences[0].text
    assert isinstance(floors, Table)
    assert isinstance(control, Table)
    rows = run.analysis.effects.query("factor == '(control)'")
    assert len(control.rows) == len(rows)
    assert len(floors.rows) == len(run.analysis.noise_floor)
    assert "duplicate of itself" not in repr(effects.TOPIC.build(run.analysis, ENVIRONMENT))


def test_without_a_duplicate_there_is_no_section(run: Run) -> None:
    analysis = replace(run.analysis)
    found = run.analysis.effects
    vars(analysis).update(
        effects=found[found["arm"] != CONTROL], noise_floor=run.analysis.noise_floor.iloc[:0]
    )
    section = TOPIC.build(analysis, ENVIRONMENT)
    assert not section.parts
    assert not section.evidence

"""The section on what happens inside networks: its sentences say what was planted, its figure shows it."""

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

import results
from results import plots
from results.plots.inside import MOST_COLOURED
from results.report.section import Bullets, Figure, Group, Paragraph, Section, Table
from results.report.sections.inside import TOPIC
from results.run import Run
from tests.results.planted import BASELINE, BOTH, CONTROL, NORM, POOL, RELU, STEM, Plan
from tests.results.planted_inside import CHANNELS, DEAD, GRADIENT, write_looked_at
from tests.results.report.sections.test_sections import text_of

OTHERS = (BASELINE, STEM, BOTH, POOL, RELU, CONTROL)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return results.load(write_looked_at(tmp_path_factory.mktemp("runs") / "looked-at"))


@pytest.fixture(scope="module")
def section(looked_at: Run) -> Section:
    return TOPIC.build(looked_at.analysis, looked_at.analysis.names[0])


def parts(section: Section) -> tuple[Bullets, Figure, Table]:
    """Of the only workload that was looked at."""
    meaning, group = section.evidence
    assert isinstance(meaning, Paragraph)
    assert isinstance(group, Group)
    bullets, figure, table = group.parts
    assert isinstance(bullets, Bullets)
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    return bullets, figure, table


def said(section: Section) -> dict[str, str]:
    return {sentence.lead: sentence.text for sentence in parts(section)[0].sentences}


def drawn(section: Section) -> Drawing:
    return parts(section)[1].draw()


def test_nothing_is_said_where_nothing_was_looked_at(run: Run) -> None:
    section = TOPIC.build(run.analysis, run.analysis.names[0])
    assert not section.parts
    assert not section.evidence
    assert not section.data


def gradients(section: Section) -> Figure:
    figure = section.parts[1]
    assert isinstance(figure, Figure)
    return figure


def test_whether_first_layers_still_learn_is_told_in_a_sentence(section: Section) -> None:
    bullets, _ = section.parts
    assert isinstance(bullets, Bullets)
    (said,) = bullets.sentences
    # The medians of eight seeds are the truth; of the norm two diverged after the first look.
    assert said.lead == "First layer's gradient over the last layer's:"
    assert said.text.startswith(
        f"0.8 in the baseline at step 1 (0.02 with {NORM} to 0.8 with {STEM}), "
        f"0.5 in the baseline at step 120 (0.1 with {NORM} to 0.5 with {STEM}) ["
    )


def test_gradients_are_drawn_over_that_of_the_last_layer_from_the_first_to_the_last(section: Section) -> None:
    first, last = gradients(section).draw().axes
    assert [axis.get_title(loc="left") for axis in (first, last)] == ["at step 1", "at step 120"]
    for axis, place in ((first, 0), (last, 2)):
        assert axis.get_yscale() == "log"
        lines = {str(line.get_label()): np.asarray(line.get_ydata(), dtype=float) for line in axis.lines}
        for arm in (BOTH, STEM):
            # Planted norms: twice the ratio of the ends, 7 and 2. The median lies between two seeds.
            assert lines[arm] == pytest.approx([GRADIENT[arm][place], 3.5, 1], rel=2e-3)
        assert lines[BASELINE][-1] == 1
        assert RELU not in lines


def test_the_gradients_stand_beside_the_figure_as_a_table(section: Section) -> None:
    table = gradients(section).table
    assert table is not None
    rows = {(row[0].text, row[1].text): [cell.text for cell in row[2:]] for row in table.rows}
    assert rows[BOTH, "1"] == ["0.05", "3.5", "1"]
    assert rows[STEM, "120"] == ["0.5", "3.5", "1"]
    assert [cell.detail for cell in table.rows[0][2:]] == ["conv1", "conv2", "fc"]


def test_a_gradient_that_vanished_is_told_without_digits(looked_at: Run) -> None:
    frame = looked_at.inside.copy()
    first = (frame["layer"] == "conv1") & (frame["arm"] == BOTH)
    analysis = replace(looked_at.analysis)
    vars(analysis)["inside"] = frame.assign(value=frame["value"].where(~first, 1e-12))
    told = TOPIC.build(analysis, analysis.names[0]).parts[0]
    assert f"less than 0.001 with {BOTH}" in text_of(told)
    assert "e-1" not in text_of(told)


def test_gradients_are_told_with_their_reach_and_beside_the_baseline(section: Section) -> None:
    # Spreads are 5 % a seed, over eight seeds: exp(-0.175) to exp(0.175) about the truth.
    told = said(section)["Gradients:"]
    first, last = told.split(". At step ")
    assert first.startswith(
        "At step 1 the gradient of the first layer is 0.8 [0.67 to 0.95, 8 seeds] of the last layer's in the"
        " baseline"
    )
    assert f"{BOTH} 0.05 [0.042 to 0.06, 8 seeds]" in first
    assert first.endswith(f"within reach of the baseline's seeds: {STEM}")
    assert last.startswith("120 the gradient of the first layer is 0.5 [0.42 to 0.6, 8 seeds]")
    assert f"{NORM} {GRADIENT[NORM][2]:g} [0.084 to 0.12, 6 seeds]" in last, "two had diverged by then"


def test_the_drift_is_told_beside_what_other_images_alone_bring_about(section: Section) -> None:
    told = said(section)["Drift:"]
    assert told.startswith(
        "At step 2 the mean of a channel moves from batch to batch by 0.01 [0.0084 to 0.012, 8 seeds; other"
        " images alone 0.12] of its standard deviation in the baseline"
    )
    assert "At step 60 " in told, "the look in the middle: at the last step little moves"
    assert "At step 120 " not in told


def test_dead_relus_are_told_as_a_share_of_all_channels(section: Section) -> None:
    told = said(section)["Dead ReLUs:"]
    share = DEAD[NORM][2] * CHANNELS[1] / sum(CHANNELS)
    assert f"{NORM} {100 * share:.1f} %" in told
    assert "At step 120 channels without a positive output are 3.0 % [3.0 % to 3.0 %, 8 seeds] of all" in told


def test_what_is_the_same_seed_by_seed_is_told_as_such_and_not_drawn(section: Section) -> None:
    told = said(section)["No difference:"]
    assert RELU in told
    assert STEM not in told
    assert RELU not in parts(section)[1].alt


def test_a_training_that_diverged_is_told_with_its_largest_gradient(section: Section) -> None:
    told = said(section)[f"{NORM}:"]
    assert told.startswith(
        "2 seeds diverged; at the last look before, step 1, the largest gradient of a layer"
    )
    assert "7e+06 (median over seeds), the baseline's 7" in told
    assert told.endswith("[seed-2, seed-5].")


def test_the_control_is_in_the_table_alone_which_is_closed(section: Section) -> None:
    _, figure, table = parts(section)
    assert not table.open
    names = list(dict.fromkeys(row[0].text for row in table.rows))
    assert names[0] == BASELINE
    assert set(names) == {*OTHERS, NORM}
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert CONTROL not in figure.alt
    assert CONTROL not in " ".join(said(section).values())


def test_the_figure_has_a_panel_a_quantity_and_the_planted_values(section: Section) -> None:
    figure = drawn(section)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles == [
        "gradient of the weight (norm), steps 1 and 120",
        "gradient over weight (norms), steps 1 and 120",
        "mean before the activation, steps 1 and 120",
        "variance before the activation, steps 1 and 120",
        "drift, batch to batch (sd), steps 2 and 60",
        "dead ReLUs, of all channels, steps 1 and 120",
    ]
    lines = {
        (line.get_color(), line.get_linestyle()): np.asarray(line.get_ydata(), dtype=float)
        for line in figure.axes[0].lines
    }
    assert len(lines) == 2 * 4, "two looks of the baseline and of the arms that differ"
    ends = sorted(round(float(y[0]), 6) for y in lines.values())
    assert {round(2 * 0.5, 1), round(2 * 0.1, 1)} <= {round(end, 1) for end in ends}
    assert [axis.get_yscale() for axis in figure.axes] == ["log", "log", "linear", "log", "log", "linear"]
    labels = " ".join(t.get_text() for t in figure.findobj(mpl.text.Text))
    assert "mathdefault" not in labels


def test_at_most_six_arms_are_drawn_and_the_caption_says_which(tmp_path: Path) -> None:
    assert MOST_COLOURED == 6
    run = results.load(write_looked_at(tmp_path / "run", Plan(processes=2, seeds=2)))
    frame = run.inside
    stems = frame[frame["arm"] == STEM]
    copies = [stems.assign(arm=f"arm-{i}", value=stems["value"] * (1 + i)) for i in range(9)]
    vars(run.analysis)["inside"] = pd.concat([frame[frame["arm"] == BASELINE], *copies])
    _, figure, table = parts(TOPIC.build(run.analysis, run.analysis.names[0]))
    assert figure.title.endswith("(the 5 of 9 that change most)")
    legend = [text.get_text() for text in figure.draw().legends[0].get_texts()]
    assert legend == [BASELINE, *(f"arm-{i}" for i in (8, 7, 6, 5, 4))], "drift and dead shares grow with i"
    assert len({row[0].text for row in table.rows}) == 10, "the table has all"


@pytest.mark.parametrize("left_out", [BASELINE, CONTROL, NORM])
def test_an_arm_that_is_missing_takes_no_other_with_it(tmp_path: Path, left_out: str) -> None:
    path = write_looked_at(tmp_path / "run", Plan(processes=2, seeds=2))
    for file in (path / "records").glob("digits-32-*"):
        if f'"arm": "{left_out}"' in file.read_text():
            file.unlink()
    run = results.load(path)
    section = TOPIC.build(run.analysis, run.analysis.names[0])
    assert "At step 1 " in said(section)["Gradients:"]
    drawn(section)


def test_looks_of_trainings_that_all_diverged_are_told_as_far_as_they_go(tmp_path: Path) -> None:
    path = write_looked_at(tmp_path / "run", Plan(processes=2, seeds=2, diverged=(0, 1)))
    run = results.load(path)
    section = TOPIC.build(run.analysis, run.analysis.names[0])
    assert said(section)[f"{NORM}:"].startswith("2 seeds diverged")
    assert not any(row[0].text == NORM and row[1].text == "120" for row in parts(section)[2].rows)
    assert all(text_of(part) for part in parts(section))


def test_a_figure_without_any_look_says_so(looked_at: Run) -> None:
    figure = plots.inside(looked_at.inside.iloc[:0])
    assert "No look" in figure.texts[0].get_text()

import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from results import plots
from results.run import Run
from tests.results.planted import BOTH, CONTROL, HUGE, NORM, POOL, RELU, STEM


def draw(run: Run) -> dict[str, Figure]:
    effects = run.effects()
    return {
        "forest": plots.forest(run.analysis.study, effects, run.analysis.noise_floor),
        "memory": plots.memory_bars(effects),
        "tradeoff": plots.tradeoff(run.analysis.study, effects),
    }


def texts(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in figure.findobj(mpl.text.Text))


def test_text_stays_text_in_svg(run: Run) -> None:
    svg, _ = plots.drawn(plots.memory_bars(run.effects()))
    words = {element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {STEM, BOTH, "baseline"} <= words


def test_the_forest_names_every_arm_but_the_control_and_marks_the_inert(run: Run) -> None:
    figure = plots.forest(run.analysis.study, run.effects(), run.analysis.noise_floor)
    said = texts(figure)
    assert all(arm in said for arm in (STEM, NORM, RELU, POOL, BOTH, HUGE))
    assert CONTROL not in said
    assert said.count("\ninert\n") == 2, "complexity and digits-32"
    assert "▼ +31 %" in said
    assert "noise floor (A/A)" in said


def test_an_arm_that_is_inert_everywhere_is_not_drawn(run: Run) -> None:
    effects = run.effects()
    effects["inert"] = effects["arm"] == POOL
    assert POOL not in texts(plots.forest(run.analysis.study, effects))
    assert POOL not in texts(plots.tradeoff(run.analysis.study, effects))


def test_the_forest_draws_each_effect_where_it_is(run: Run) -> None:
    effects = run.effects()
    figure = plots.forest(run.analysis.study, effects)
    axis = next(axis for axis in figure.axes if axis.get_title(loc="left") == "test accuracy")
    drawn = {
        round(float(np.asarray(line.get_xdata())[0]), 9)
        for line in axis.lines
        if str(line.get_marker()) in {"^", "v", "s", "o"}
    }
    shown = effects[(effects["metric"] == "test_accuracy") & ~effects["inert"] & (effects["arm"] != CONTROL)]
    assert drawn == {round(effect, 9) for effect in shown["effect"].dropna()}


def test_memory_bars_are_as_long_as_the_bytes(run: Run) -> None:
    widths = {
        round(patch.get_width())  # type: ignore[attr-defined]
        for axis in plots.memory_bars(run.effects()).axes
        for patch in axis.patches
    }
    assert {6 * 2**30, round(6 * 2**30 * 1.31), round(6 * 2**30 * 1.1)} <= widths


@pytest.mark.parametrize("arms", [1, 40])
def test_any_number_of_arms_can_be_drawn(run: Run, arms: int) -> None:
    effects = run.effects()
    one = effects[effects["arm"] == STEM]
    many = pd.concat([one.assign(arm=f"a_rather_long_factor_name=level-{i}") for i in range(arms)])
    for figure in (
        plots.forest(run.analysis.study, many),
        plots.memory_bars(many),
        plots.tradeoff(run.analysis.study, many),
    ):
        assert f"level-{arms - 1}" in texts(figure)


def test_arms_without_any_interval_are_drawn_where_they_are(run: Run) -> None:
    bare = run.effects().assign(ci_low=np.nan, ci_high=np.nan)
    assert STEM in texts(plots.tradeoff(run.analysis.study, bare))


def test_memory_that_was_not_measured_yet_is_drawn_as_missing(run: Run) -> None:
    bare = run.effects().assign(value=np.nan, baseline_value=np.nan)
    assert " no value" in texts(plots.memory_bars(bare))


def test_many_curves_get_a_panel_each(run: Run) -> None:
    curves = run.analysis.curves[run.analysis.curves["arm"].isin(["baseline", STEM])]
    few = plots.convergence_curves(curves, {"train_loss": "lower"})
    assert [axis.get_title(loc="left") for axis in few.axes] == [
        f"{name} [digits-32]" for name in ("validation accuracy", "validation loss", "train loss")
    ]
    copies = [curves[curves["arm"] == STEM].assign(arm=f"arm-{i}") for i in range(10)]
    many = plots.convergence_curves(pd.concat([curves, *copies]))
    assert [axis.get_title(loc="left") for axis in many.axes[:3]] == [STEM, "arm-0", "arm-1"]


def test_panels_of_several_workloads_say_which(run: Run) -> None:
    curves = run.analysis.curves
    many = pd.concat([curves, *(curves.assign(arm=curves["arm"] + f" {copy}") for copy in range(4))])
    assert f"[{curves['workload'].iloc[0]}]" not in texts(plots.convergence_curves(many))
    both = pd.concat([many, many.assign(workload="at-a-high-rate")])
    shown = texts(plots.convergence_curves(both))
    assert "[at-a-high-rate]" in shown
    assert f"[{curves['workload'].iloc[0]}]" in shown


def test_a_title_stands_clear_of_the_lines_that_say_the_context(run: Run) -> None:
    study = replace(
        run.analysis.study,
        workloads=tuple(replace(w, conditions="word " * 20) for w in run.analysis.study.workloads),
    )
    figure = plots.forest(study, run.effects())
    figure.canvas.draw()
    clear = []
    for axis in figure.axes:
        context = [one for one in axis.texts if one.get_text().count("word") > 10]
        title = [
            one
            for one in axis.get_children()
            if isinstance(one, Text) and one.get_text() == axis.get_title("left")
        ]
        if context:
            assert context[0].get_text().count("\n") > 1
            clear.append(not title[0].get_window_extent().overlaps(context[0].get_window_extent()))
    assert clear
    assert all(clear)


def test_the_band_of_a_curve_is_the_t_interval_of_the_mean() -> None:
    from results.plots.convergence_curves import _t_interval

    assert list(_t_interval(pd.Series([1.0, 2.0, 3.0]))) == pytest.approx([2 - 2.4841377, 2 + 2.4841377])
    assert _t_interval(pd.Series([4.0])) == (4.0, 4.0)
    assert _t_interval(pd.Series([4.0, 5.0])) == (4.5, 4.5)  # a placebo's two seeds: no band worth drawing


def test_a_figure_without_data_says_so(run: Run) -> None:
    nothing = run.effects().iloc[:0]
    assert "No headline metric" in texts(plots.forest(run.analysis.study, nothing))
    assert "No memory" in texts(plots.memory_bars(nothing))
    assert "No arm has both" in texts(plots.tradeoff(run.analysis.study, nothing))
    assert "No convergence curve" in texts(plots.convergence_curves(run.analysis.curves.iloc[:0]))


def test_drawing_leaves_no_trace_in_matplotlib(run: Run) -> None:
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    draw(run)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []

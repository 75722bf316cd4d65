"""What the report says of designs: averages first, what is aliased and what is to be followed up."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import results
from results import plots
from results.plots.interaction_map import interaction_map
from results.report.document import document
from results.report.section import Figure, Table
from results.report.write import write_report
from results.run import Run
from tests.results import planted_factorial as planted
from tests.results.planted_factorial import CHANGES, NAMES, Planted
from tests.results.report.sections.test_sections import flat, text_of, whole

PAIR = planted.name_of(("norm", "stem"))


def written(path: Path, plan: Planted) -> Run:
    return results.load(planted.write_run(path, plan))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written(tmp_path_factory.mktemp("full") / "run", Planted("full-factorial", planted.whole()))


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written(tmp_path_factory.mktemp("half") / "run", Planted("fractional-factorial", planted.half()))


def said(run: Run, anchor: str) -> str:
    section = next(one for one in document(run.analysis).sections if one.anchor == anchor)
    return " ".join(text_of(part) for part in whole(section))


def tables(run: Run, anchor: str) -> list[Table]:
    section = next(one for one in document(run.analysis).sections if one.anchor == anchor)
    return [part for part in whole(section) if isinstance(part, Table)]


def test_a_factorial_answers_by_averages_and_then_by_combination(full: Run) -> None:
    first, second, *_ = tables(full, "answer")
    assert first.caption == "What each change does, averaged over the others"
    assert [row[0].text for row in first.rows] == [CHANGES[name] for name in NAMES]
    assert first.questions[0].baseline == "1.00 GiB", "the baseline's own, not an average"
    assert second.caption == "What each change does against the baseline"
    assert len(second.rows) == 15


def test_interactions_stand_on_the_page_in_sentences_and_pictures(full: Run) -> None:
    told = said(full, "interactions")
    assert f"{PAIR}: step time, train +8." in told
    section = next(s for s in document(full.analysis).sections if s.anchor == "interactions")
    names = [part.name for part in flat(list(section.parts)) if isinstance(part, Figure)]
    assert names == ["interactions", "two-by-two"]
    index = write_report(full.analysis).index
    assert "Which pairs of changes do more or less together than apart?" in index.read_text(encoding="utf-8")
    assert (index.parent / "tables" / "main_effects.csv").is_file()


def test_a_fraction_says_what_it_cannot_tell_apart_and_what_would(half: Run) -> None:
    told = said(half, "interactions")
    assert "norm x stem = pool x relu." in told
    assert "To be followed up: step time, train +7." in told
    assert "as the sum of norm x stem or pool x relu, not known of which" in told
    assert "ablate run STUDY --follow-up DIRECTORY" in told
    assert told.count("as the sum of norm x stem or pool x relu") == 2, "time and accuracy, each once"
    assert "as the sum of pool x relu or norm x stem" not in told
    assert "No pair of changes" not in told


def test_sums_within_the_margin_are_not_to_be_followed_up(tmp_path: Path) -> None:
    small = {("stem",): 0.2, ("norm", "stem"): 0.012}
    plan = Planted("fractional-factorial", planted.half(), processes=30, seeds=2, time=small)
    run = written(tmp_path / "run", plan)
    row = run.interactions().query("metric == 'step_seconds' and arm == @PAIR").iloc[0]
    assert row["ci_low"] > 1, "it leaves out none"
    assert "step time, train +" not in said(run, "interactions")


def test_alone_and_in_company_stand_side_by_side(tmp_path: Path) -> None:
    arms = [(), *((n,) for n in NAMES), NAMES, *(tuple(o for o in NAMES if o != n) for n in NAMES)]
    run = written(tmp_path / "run", Planted("both-at-once", arms))
    table = next(t for t in tables(run, "interactions") if t.caption == "Each change alone and in company")
    assert table.columns[1:3] == ["peak memory, train, alone", "in company"]
    stem = next(row for row in table.rows if row[0].text == CHANGES["stem"])
    assert [cell.text for cell in stem[1:3]] == ["▼ +35 %", "▼ +27 %"], "exp(0.30), and exp(0.30 - 0.06)"


def test_a_note_in_company_names_no_arm_that_is_not_compared(tmp_path: Path) -> None:
    arms = [(), *((n,) for n in NAMES), NAMES, *(tuple(o for o in NAMES if o != n) for n in NAMES)]
    plan = Planted("both-at-once", arms, lost=frozenset({("norm",)}))
    run = written(tmp_path / "run", plan)
    main, beyond = (
        frame.query("metric == 'step_seconds'").set_index("arm").loc[f"{CHANGES['norm']} in company"]
        for frame in (run.main_effects(), run.interactions())
    )
    assert main["n"] == 8
    assert "out of memory" not in main["note"]
    assert "out of memory" in beyond["note"], "there it is what is lacking"


def test_the_map_has_a_cell_for_each_pair_and_colour_only_where_it_is_decided(full: Run, half: Run) -> None:
    pairs = full.interactions()
    figure = interaction_map(full.analysis.study, pairs)
    texts = [t.get_text() for t in figure.findobj(mpl.text.Text)]
    assert sum(t.startswith(("▲", "▼", "≈", "?", "△", "▽")) for t in texts) == 6 * 3
    assert any(t.startswith("▼ +8.") for t in texts)
    aliased = interaction_map(half.analysis.study, half.interactions())
    meshes = [axis.collections[0].get_array() for axis in aliased.axes if axis.collections]
    assert meshes
    assert all(mesh is not None and not np.ma.compressed(mesh).any() for mesh in meshes)


def test_a_two_by_two_draws_the_corners_where_they_are(full: Run) -> None:
    row = full.interactions().query("metric == 'peak_bytes' and factor == 'relu+stem'")
    figure = plots.two_by_two(full.analysis.study, row, full.analysis.corners)
    (axis,) = figure.axes
    usual, changed, apart = (list(map(float, line.get_ydata())) for line in axis.lines)  # type: ignore[arg-type]
    assert usual[1] / usual[0] == pytest.approx(2.718281828**0.10)
    assert changed[1] / changed[0] == pytest.approx(2.718281828 ** (0.10 - 0.06))
    assert apart[1] / apart[0] == pytest.approx(usual[1] / usual[0]), "dashed: as if neither minded the other"

"""Looks as a tidy frame: every number of the records at its place, and nothing where there was none."""

from pathlib import Path

import pandas as pd
import pytest

import results
from results.frames.inside import INSIDE_COLUMNS
from results.records.directory import read_record
from results.run import Run
from tests.results.planted import BASELINE, HUGE, NORM
from tests.results.planted_inside import RELUS, STEPS, WEIGHTED, WORKLOAD, curves, write_looked_at


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return results.load(write_looked_at(tmp_path_factory.mktemp("runs") / "looked-at"))


def test_each_value_of_a_record_is_a_row_at_its_place(looked_at: Run) -> None:
    frame = looked_at.inside
    assert list(frame.columns) == INSIDE_COLUMNS
    keys = ["environment", "workload", "arm", "block", "step", "layer", "what"]
    assert not frame.duplicated(keys).any()
    places = ["arm", "block", "what", "step", "layer"]
    columns = (frame[name] for name in [*places, "value", "depth", "channels"])
    found = {tuple(row[:5]): row[5:] for row in zip(*columns, strict=True)}
    for arm, seed in ((BASELINE, 4), (NORM, 0)):
        for one in curves(arm, seed):
            for step, row in zip(one.step, one.values, strict=True):
                for i, value in enumerate(row):
                    place = (arm, f"seed-{seed}", one.what, step, one.layer[i])
                    assert found[place] == (value, one.depth[i], one.channels[i])
    assert set(frame["workload"]) == {WORKLOAD}
    assert set(frame[frame["what"] == "gradient_norm"]["layer"]) == {*WEIGHTED}
    assert set(frame[frame["what"] == "dead_share"]["layer"]) == {*RELUS}


def test_trainings_that_diverged_are_there_with_what_was_finite(looked_at: Run) -> None:
    lost = looked_at.inside.query("status == 'diverged'")
    assert set(lost["arm"]) == {NORM}
    assert set(lost["block"]) == {"seed-2", "seed-5"}
    assert lost[lost["step"] == STEPS[0]]["value"].notna().all()
    assert lost[lost["step"] == STEPS[1]]["value"].isna().all()
    assert HUGE not in set(looked_at.inside["arm"]), "it never began"


def test_a_run_without_looks_has_an_empty_frame_of_the_same_columns(run: Run) -> None:
    assert run.inside.empty
    assert list(run.inside.columns) == INSIDE_COLUMNS
    assert run.inside.dtypes["value"].kind == "f"


def test_a_record_without_looks_is_read_as_before(run: Run) -> None:
    """Those of earlier versions know nothing of it."""
    path: Path = run.analysis.path / "records"
    texts = [file.read_text() for file in path.glob(f"{WORKLOAD}-*")]
    assert texts
    assert not any("inside" in text for text in texts)
    assert all("inside" not in read_record(file).outcomes[0].details for file in path.glob(f"{WORKLOAD}-*"))


def test_the_frame_is_written_as_a_table(looked_at: Run, quick: None) -> None:
    index = looked_at.report().index
    written = pd.read_csv(index.parent / "tables" / "inside.csv")
    pd.testing.assert_frame_equal(
        written.drop(columns="arm"), looked_at.inside.drop(columns="arm"), check_dtype=False
    )

"""Every frame has the columns and dtypes that its description promises, whatever the run holds."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import results
from results.records.benchmarks import store
from results.records.pytest_benchmark import read
from results.records.resolved_study import write_study
from results.run import Run
from results.tables.columns import FRAMES
from tests.results import planted, planted_benchmarks, planted_factorial, planted_memory
from tests.results.planted_inside import write_looked_at
from tests.results.planted_timing import write_timed_run

PAGE = Path(__file__).parents[4] / "docs" / "frames.md"
DTYPES = {"str": pd.Series(["a"]).dtype, "object": object, "bool": bool, "int64": "int64"}
DTYPES |= {"Int64": "Int64", "float64": "float64"}


def write_nothing(path: Path) -> Path:
    write_study(path, planted.study(planted.Plan()))
    return path


def write_two_environments(path: Path) -> Path:
    return planted.write_run(path, planted.Plan(profiles=True, environments=("laptop-1", "laptop-2")))


def write_benchmarks(path: Path) -> Path:
    level, content = planted_benchmarks.level, planted_benchmarks.content
    given = content(level("batch", 0.001, baseline=True), level("group", 0.002))
    planted.write_run(path, planted.Plan(processes=2, seeds=2))
    store(path, [read(planted_benchmarks.write(path.parent / "benchmarks.json", given))])
    return path


def write_factorial(path: Path) -> Path:
    return planted_factorial.write_run(
        path, planted_factorial.Planted("full-factorial", planted_factorial.whole())
    )


RUNS = {
    "planted": planted.write_run,
    "empty": write_nothing,
    "two environments": write_two_environments,
    "inside": write_looked_at,
    "timed": write_timed_run,
    "factorial": write_factorial,
    "memory": planted_memory.write_factorial,
    "benchmarks": write_benchmarks,
}
FULL = dict.fromkeys(("measurements", "curves", "effects", "noise_floor", "variants", "trials"), "planted")
FULL |= {"memory_profiles": "two environments", "inside": "inside", "speed": "timed"}
FULL |= dict.fromkeys(("main_effects", "interactions", "corners"), "factorial")
FULL |= {"building_blocks": "benchmarks"}
"""A run in which each frame has rows; `claims` and `target_cost` have tests of their own."""


@pytest.fixture(scope="module", params=RUNS)
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run]:
    name = str(request.param)
    write = RUNS[name]
    path = tmp_path_factory.mktemp("columns") / "run"
    return name, results.load(write(path))


def frame(run: Run, name: str) -> pd.DataFrame:
    found = getattr(run, name)
    made: pd.DataFrame = found if isinstance(found, pd.DataFrame) else found()
    return made


@pytest.mark.parametrize("name", FRAMES)
def test_columns_and_dtypes_are_those_described(named: tuple[str, Run], name: str) -> None:
    of, run = named
    found, told = frame(run, name), results.columns(name)
    assert (len(found) > 0) or FULL.get(name) != of
    if name == "variants":
        assert list(found)[:5] == list(told["column"])[:5]
        known = {column: FRAMES[name].column(str(column)) for column in found}
        assert {column for column, one in known.items() if one is None} == set()
        promised = [known[column].dtype for column in found]  # type: ignore[union-attr]
    else:
        assert list(found) == list(told["column"])
        promised = list(told["dtype"])
    assert list(found.dtypes) == [pd.api.types.pandas_dtype(DTYPES[dtype]) for dtype in promised]


def test_every_frame_is_seen_with_rows() -> None:
    assert set(FRAMES) - set(FULL) == {"claims", "target_cost"}


def test_what_was_recorded_is_an_attribute_and_what_is_computed_a_method(named: tuple[str, Run]) -> None:
    _, run = named
    attributes = {name for name in FRAMES if isinstance(getattr(run, name), pd.DataFrame)}
    assert attributes == {"measurements", "curves", "inside", "memory_profiles"}
    assert attributes == {name for name, described in FRAMES.items() if described.recorded}


def test_every_column_has_a_meaning_and_every_frame_a_row() -> None:
    told = results.columns()
    assert list(told["frame"].unique()) == list(FRAMES)
    assert not told.duplicated(["frame", "column"]).any()
    assert (told["meaning"].str.endswith(".")).all()
    assert (told["unit"][told["dtype"].isin(["str", "bool"])] == "").all()
    assert all(described.row for described in FRAMES.values())


def test_an_unknown_frame_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match=r"no frame 'efects'; .*; did you mean 'effects'\?$"):
        results.columns("efects")


def test_the_page_is_made_from_the_descriptions() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "results.tables.columns"], capture_output=True, text=True, check=True
    )
    assert made.stdout == PAGE.read_text(encoding="utf-8")

"""The project's building-block benchmarks, run once each: all say what a reader needs."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from results.frames.benchmarks import benchmarks as frame
from results.records.benchmarks import BenchmarkFile
from results.records.pytest_benchmark import read as parse
from results.verdicts.building_blocks import levels
from tests.results.planted_benchmarks import run_benchmarks

ROOT = Path(__file__).parents[2]
BLOCKS = {"stem", "pool", "relu", "norm", "residual"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkFile:
    path = tmp_path_factory.mktemp("benchmarks") / "blocks.json"
    once = ("--benchmark-enable", "--benchmark-max-time=1e-6", "--benchmark-min-rounds=1")
    done = run_benchmarks(path, "-m", "bench", *once, "tests/benchmarks/test_building_blocks.py", cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:]
    return parse(path)


@pytest.fixture(scope="module")
def benchmarks(file: BenchmarkFile) -> pd.DataFrame:
    return frame([file])


def test_every_benchmark_says_what_it_timed(benchmarks: pd.DataFrame) -> None:
    assert set(benchmarks["block"]) == BLOCKS
    assert set(benchmarks["mode"]) == {"forward", "forward and backward"}
    assert benchmarks[["image_size", "batch_size", "channels"]].notna().all(axis=None)
    assert (benchmarks[["group", "level"]] != "").all(axis=None)
    assert not benchmarks.duplicated(["group", "level"]).any()


def test_every_group_is_of_one_context_and_has_one_baseline_and_other_levels(
    benchmarks: pd.DataFrame,
) -> None:
    groups = benchmarks.groupby("group")
    assert (groups[["block", "mode", "image_size", "batch_size", "channels"]].nunique() == 1).all(axis=None)
    assert (groups["is_baseline"].sum() == 1).all()
    assert (groups.size() > 1).all()
    found = levels(benchmarks)
    assert found["effect"].notna().sum() == len(found) - groups.ngroups


def test_every_block_is_timed_at_several_sizes_both_ways(benchmarks: pd.DataFrame) -> None:
    contexts = benchmarks.groupby(["block", "mode"])["image_size"].nunique()
    assert len(contexts) == 2 * len(BLOCKS)
    assert (contexts >= 2).all()


def test_the_file_says_which_torch_was_timed_and_that_it_had_one_thread(file: BenchmarkFile) -> None:
    assert (file.machine["torch"], file.machine["threads"]) == (torch.__version__, 1)

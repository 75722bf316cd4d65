"""Looks that a study declares: each speaks at an equal share of the 5 %, in every kind of row."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import results
from results.records.resolved_study import read_study, write_study
from results.run import Run
from tests.results.planted import CONTROL, NORM, Plan, write_run

LOOKS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some runs of an arm diverge, and the others miss their target."""
    path = tmp_path_factory.mktemp("looks") / "run"
    return write_run(path, Plan(seeds=12, diverged=tuple(range(5))))


def looked_at(folder: Path, times: int) -> Run:
    write_study(folder, replace(read_study(folder), looks=times))
    return results.load(folder)


@pytest.fixture(scope="module")
def once(folder: Path) -> Run:
    return looked_at(folder, 1)


@pytest.fixture(scope="module")
def thrice(folder: Path, once: Run) -> Run:
    return looked_at(folder, LOOKS)


def tables(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    return run.effects(control=True), run.interactions()


def test_every_p_value_is_adjusted_for_the_looks(once: Run, thrice: Run) -> None:
    for one, other in zip(tables(once), tables(thrice), strict=True):
        assert list(one["p_value"].dropna()) == list(other["p_value"].dropna())
        wanted = (LOOKS * one["p_adjusted"]).clip(upper=1.0)
        assert other["p_adjusted"].to_numpy() == pytest.approx(wanted.to_numpy(), nan_ok=True)
        assert (wanted < 0.9).any()


def adjusted(run: Run, metric: str) -> float:
    """Of the arm that diverges in some runs and misses its target in the others."""
    effects = run.effects()
    return float(effects[(effects["metric"] == metric) & (effects["arm"] == NORM)]["p_adjusted"].iloc[0])


def test_an_exact_test_in_the_place_of_an_interval_is_adjusted_too(once: Run, thrice: Run) -> None:
    for metric in ("diverged_fraction", "steps_to_target"):
        one, other = (adjusted(run, metric) for run in (once, thrice))
        assert 0 < one < other < 1
        assert other == pytest.approx(LOOKS * one)


def test_every_interval_is_wider_and_still_agrees_with_its_p_value(once: Run, thrice: Run) -> None:
    for one, other in zip(tables(once), tables(thrice), strict=True):
        vary = (one["sd"] > 0).fillna(False) & one["ci_low"].notna()
        before, after = one[vary], other[vary]
        assert set(before["block_unit"]) == {"process", "seed"}
        assert (after["ci_low"] < before["ci_low"]).all()
        assert (after["ci_high"] > before["ci_high"]).all()
        assert list(after["ci_low_unadjusted"]) == list(before["ci_low_unadjusted"]), "of one look alone"
        none = np.where(after["effect_kind"] == "ratio", 1.0, 0.0)
        outside = (after["ci_low"] > none) | (after["ci_high"] < none)
        assert ((after["p_adjusted"] < 0.05) == outside).all()


def test_the_share_of_each_look_is_bonferronis(thrice: Run) -> None:
    effects = thrice.effects(control=True)
    rows = effects[(effects["arm"] == CONTROL) & (effects["metric"] == "step_seconds")]
    assert len(rows) == 2
    for row in rows.to_dict("records"):
        reach = stats.t.isf(0.05 / LOOKS / row["comparisons"] / 2, row["freedom"])
        half = reach * row["sd"] / np.sqrt(row["n"])
        assert np.log(row["ci_high"] / row["effect"]) == pytest.approx(half)

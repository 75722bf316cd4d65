"""The A/A gate: what a duplicate that differs does to its cell, and how often chance alone does it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import results
from results.records.directory import read_record, write_record
from results.verdicts.controls import Controls
from results.verdicts.rows import frame
from tests.results.planted import CONTROL, STEM, Plan, write_run


def duplicates(contrasts: np.ndarray) -> pd.DataFrame:
    """A/A rows of (runs, rows, blocks) contrasts; each run has an environment and so a family of its own."""
    runs, members, n = contrasts.shape
    mean, sd = contrasts.mean(axis=2).ravel(), contrasts.std(axis=2, ddof=1).ravel()
    own, family = (stats.t.ppf(1 - 0.05 / (2 * size), n - 1) * sd / np.sqrt(n) for size in (1, members))
    table = frame([{"factor": "(control)", "verdict": "inconclusive", "n": n}] * (runs * members))
    return table.assign(
        environment=np.repeat([f"run-{i}" for i in range(runs)], members),
        metric=np.tile([f"metric-{i}" for i in range(members)], runs),
        effect_kind="difference",
        effect=mean,
        sd=sd,
        ci_low_unadjusted=mean - own,
        ci_high_unadjusted=mean + own,
        ci_low=mean - family,
        ci_high=mean + family,
    )


@pytest.mark.parametrize(("members", "n"), [(1, 6), (14, 6), (14, 12), (40, 8)])
def test_noise_alone_invalidates_a_cell_in_one_run_of_twenty(members: int, n: int) -> None:
    runs = 60_000 // members
    rows = duplicates(np.random.default_rng(5).normal(size=(runs, members, n)))
    found = Controls.of(rows)
    hit = len({environment for environment, *_ in found.failed}) / runs
    assert 0.035 < hit <= 0.06, "as often as a family of 95 % intervals promises, and not never"
    assert len(found.differing) / len(rows) == pytest.approx(0.05, abs=0.006), "cell by cell"


def test_noise_that_rows_share_invalidates_no_more_often() -> None:
    rng = np.random.default_rng(6)
    shared, own = rng.normal(size=(4000, 1, 6)), rng.normal(size=(4000, 14, 6))
    found = Controls.of(duplicates(np.sqrt(0.8) * shared + np.sqrt(0.2) * own))
    assert len({environment for environment, *_ in found.failed}) / 4000 <= 0.06


def reading(**told: object) -> pd.DataFrame:
    """One A/A row; without anything told a quiet one."""
    quiet = {"factor": "(control)", "workload": "speed", "metric": "step_seconds", "environment": "laptop"}
    known = {"effect_kind": "ratio", "verdict": "inconclusive", "n": 8, "sd": 0.003, "effect": 1.0062}
    ends = {"ci_low_unadjusted": 0.999, "ci_high_unadjusted": 1.0114, "ci_low": 0.99, "ci_high": 1.02}
    return frame([quiet | known | ends | told])


WIDE = {"ci_low_unadjusted": 1.0011}
BEYOND = WIDE | {"ci_low": 1.0003}


@pytest.mark.parametrize(
    ("told", "differs", "failed"),
    [
        ({}, False, False),
        (WIDE, True, False),  # slower in all eight processes, by less than any margin
        (WIDE | {"verdict": "equivalent", "margin": 0.05}, True, False),
        (BEYOND, True, True),  # beyond what the family explains, whatever the margin
        (BEYOND | {"verdict": "equivalent", "margin": 0.05}, True, True),
        ({"ci_low_unadjusted": 0.98, "ci_high_unadjusted": 0.999}, True, False),  # the other side
        (BEYOND | {"n": 5}, True, False),  # no verdict below six
        (BEYOND | {"n": 2, "sd": 0.0}, False, False),  # two that agree know nothing of the spread
        (BEYOND | {"sd": 0.0}, True, True),
        ({"verdict": "invalid", "fault": "disagree"}, False, True),
        ({"verdict": "worse", "n": 0, "cause": "missed"}, False, True),  # decided without an interval
        (BEYOND | {"cause": "tests_disagree"}, False, False),
        ({"exact": True, "n": 1, "sd": None} | BEYOND | {"verdict": "equivalent"}, False, True),
    ],
)
def test_what_a_duplicate_says(told: dict[str, object], differs: bool, failed: bool) -> None:
    found = Controls.of(reading(**told))
    assert (bool(found.differing), bool(found.failed)) == (differs, failed)


def test_a_row_whose_duplicate_failed_is_invalid_and_no_other() -> None:
    undecided = {"factor": "stem", "n_needed": 30, "n_needed_low": 20, "n_needed_high": 50, "fault": ""}
    mine = reading(**undecided, cause="imprecise", verdict="inconclusive")
    decided = reading(factor="norm", verdict="worse", beyond_margin=True, detectable=True)
    elsewhere = reading(factor="stem", verdict="worse", beyond_margin=True, metric="peak_bytes")
    odd = reading(factor="relu", verdict="invalid", fault="differs")
    rows = pd.concat([mine, decided, elsewhere, odd], ignore_index=True)
    found = Controls.of(reading(**BEYOND)).applied(rows)
    assert list(found["verdict"]) == ["invalid", "invalid", "worse", "invalid"]
    assert list(found["fault"]) == ["control", "control", "", "differs"]
    assert list(found["beyond_margin"]) == [False, False, True, False]
    assert list(found["control_differs"]) == [True, True, False, True]
    assert found.loc[0, ["n_needed", "n_needed_low", "n_needed_high"]].isna().all()
    assert found.loc[0, "cause"] == ""
    assert not found.loc[1, "detectable"]


@pytest.mark.parametrize(("slower", "fault"), [(1, ""), (1.014, ""), (1.3, "control")])
def test_a_slower_duplicate_marks_its_cell_and_the_interactions_in_it(
    tmp_path: Path, slower: float, fault: str
) -> None:
    run = results.load(write_run(tmp_path / "run", Plan(control_time=slower, seeds=1)))
    effects = run.effects(control=True)
    control = effects[(effects["metric"] == "step_seconds") & (effects["arm"] == CONTROL)].set_index("mode")
    slow = control["ci_low_unadjusted"] > 1
    assert slow.any() == (slower > 1)
    for rows in (effects, run.interactions()):
        for mode in ("train", "inference"):
            here = rows[(rows["metric"] == "step_seconds") & (rows["mode"] == mode)]
            assert set(here["control_differs"]) == {slow[mode]}
            assert set(here["fault"]) == {fault}
        assert not rows[rows["metric"] != "step_seconds"]["control_differs"].any()


def test_an_exact_figure_of_the_duplicate_that_differs_within_the_margin_is_a_fault(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(seeds=1, processes=1))
    (file,) = (path / "records").glob("memory-224-control-*")
    one = read_record(file)
    first, *others = one.outcomes[0].measurements
    more = replace(first, values=(first.values[0] * 1.005,))  # the margin is 1 %
    file.unlink()
    write_record(path, replace(one, outcomes=(replace(one.outcomes[0], measurements=(more, *others)),)))
    effects = results.load(path).effects()
    memory = effects[(effects["metric"] == "peak_bytes") & (effects["arm"] == STEM)]
    hit = memory[memory["verdict"] == "invalid"]
    assert hit[["mode", "source"]].to_numpy().tolist() == [[first.mode, first.source]]
    assert set(hit["fault"]) == {"control"}

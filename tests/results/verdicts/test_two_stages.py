"""Two stages: what the first processes ask for, and whose spread makes the intervals."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import results
from results.records.directory import read_records
from results.records.record import Measurement, Outcome, Record
from results.records.resolved_study import ResolvedStudy, Stopping, read_study, write_study
from results.run import Run
from results.verdicts.components import FEWEST_ROUNDS
from results.verdicts.simultaneous import critical_value
from results.verdicts.sizing import Sizing, size
from tests.results.planted import BASELINE, CONTROL, POOL, Plan, write_run

FIRST, ROUNDS = 4, 32
WORKLOAD = "throughput-64"


def stopping(study: ResolvedStudy, at_most: int) -> ResolvedStudy:
    """The study with a rule for how many processes there are to be."""
    rule = Stopping("step_seconds", 0.02, at_most, first_stage=FIRST)
    workloads = tuple(replace(w, stopping=rule) if w.name == WORKLOAD else w for w in study.workloads)
    return replace(study, workloads=workloads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_run(tmp_path_factory.mktemp("stages") / "run", Plan(processes=12, rounds=ROUNDS, seeds=1))
    write_study(path, stopping(read_study(path), at_most=1000))
    return path


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return results.load(folder)


@pytest.fixture(scope="module")
def records(folder: Path) -> list[Record]:
    return [record for record in read_records(folder)[0] if record.workload == WORKLOAD]


def log_ratios(run: Run, arm: str) -> pd.Series:
    """By process, from the raw samples alone: the median over rounds."""
    samples = run.measurements
    samples = samples[(samples["metric"] == "step_seconds") & (samples["mode"] == "train")]
    wide = samples.pivot_table(index=["block", "round"], columns="arm", values="value")
    ratios = pd.Series(np.log(wide[arm] / wide[BASELINE]), wide.index)
    return ratios.groupby("block").median()


def test_the_interval_rests_on_the_spread_of_the_later_processes_and_the_mean_on_all(run: Run) -> None:
    """Of an arm that scatters far more than the others, which is left to itself."""
    ratios = log_ratios(run, POOL)
    later = ratios.drop([f"process-{i}" for i in range(FIRST)])
    assert (len(ratios), len(later)) == (12, 8)
    effects = run.effects()
    rows = effects[(effects["metric"] == "step_seconds") & (effects["mode"] == "train")]
    (row,) = rows[rows["arm"] == POOL].to_dict("records")
    assert (row["n"], row["freedom"]) == (12, 7)
    assert row["effect"] == pytest.approx(np.exp(ratios.mean()))
    assert row["sd"] == pytest.approx(later.std())
    assert row["sd"] != pytest.approx(ratios.std(), rel=0.05)


def asked(run: Run, records: Sequence[Record], looks: int = 1) -> Sizing:
    """What the first processes ask for in training, were so many looks declared."""
    study = replace(run.analysis.study, looks=looks)
    (workload,) = (one for one in study.workloads if one.name == WORKLOAD)
    return size(study, workload, records)


def test_looks_that_are_declared_are_paid_for_in_processes(run: Run, records: list[Record]) -> None:
    once, thrice = (asked(run, records, looks).processes for looks in (1, 3))
    assert 12 < once[POOL, "train"] < thrice[POOL, "train"] < 1000
    arms = sum(mode == "train" for _, mode in once)
    reach, further = (critical_value(alpha, arms, 10.0, 0.5) for alpha in (0.05, 0.05 / 3))
    more = thrice[POOL, "train"] / once[POOL, "train"]
    assert more == pytest.approx((further / reach) ** 2, rel=0.02)


@pytest.mark.parametrize("looks", [1, 3])
def test_what_a_run_says_it_reached_is_the_widest_interval_of_its_table(
    tmp_path: Path, folder: Path, looks: int
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    write_study(copy, replace(stopping(read_study(copy), at_most=12), looks=looks))
    found = results.load(copy)
    (cost,) = found.analysis.cost.to_dict("records")
    effects = found.effects()
    rows = effects[(effects["metric"] == "step_seconds") & (effects["arm"] != CONTROL)]
    assert set(rows["mode"]) == {"train", "inference"}
    assert cost["reached"] == pytest.approx((rows["ci_high"] / rows["effect"]).max() - 1)


def costing(records: Sequence[Record], seconds: float) -> list[Record]:
    """The same, were each process so long beside what it times."""
    phases = {"start": seconds / 4, "build": seconds / 4, "warmup": seconds / 2, "timed": 9.0}
    return [replace(one, details={**one.details, "seconds_by_phase": phases}) for one in records]


def restless(records: Sequence[Record]) -> list[Record]:
    """The same, did rounds scatter so much that processes differ by nothing else."""
    rng = np.random.default_rng(8)

    def scattered(one: Measurement) -> Measurement:
        return replace(one, values=tuple(float(v) for v in 0.04 * np.exp(rng.normal(0, 0.5, ROUNDS))))

    def outcome(one: Outcome) -> Outcome:
        return replace(one, measurements=tuple(map(scattered, one.measurements)))

    return [replace(record, outcomes=tuple(map(outcome, record.outcomes))) for record in records]


def test_later_processes_have_as_many_rounds_as_cost_least(run: Run, records: list[Record]) -> None:
    """Their rounds differ by 0.4 %, and processes by one or more."""
    shares = [asked(run, costing(records, seconds)).rounds_share for seconds in (0.0, 600.0, 1e6)]
    assert shares[0] == FEWEST_ROUNDS / ROUNDS, "nothing is saved by staying in a process"
    assert shares[0] < shares[1] < shares[2] == 1.0


def test_where_rounds_scatter_more_than_processes_none_is_left_out(run: Run, records: list[Record]) -> None:
    assert asked(run, costing(restless(records), 4e3)).rounds_share == 1.0

"""A study by Ray and by the local launcher: the same records, and the same verdicts."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import results
from results.records.directory import read_records
from results.records.record import Record
from runners import study
from runners.plan import Plan, plan
from runners.run import Options, execute
from tests.runners.scripted_runs import Watcher

SMALL = """
architecture = "resnet"
[factors]
relu = ["inplace", "out_of_place"]
norm = ["batch", "none"]
[[workloads]]
kind = "memory"
levels = { depth = 18, width = 16 }
image_size = 32
batch_size = 16
simulate = ["cuda"]
measure = true
"""


def run(planned: Plan, out: Path, launcher: str, jobs: int = 2) -> Watcher:
    watcher = Watcher()
    execute(planned, Options(out, "cpu", jobs, launcher=launcher), watcher)
    return watcher


def untimed(name: str) -> Plan:
    """What does not vary: exact to the byte."""
    found = plan(study.load(name))
    return replace(
        found, trials=tuple(t for t in found.trials if t.workload.kind in {"memory", "complexity"})
    )


def records(out: Path) -> dict[str, Record]:
    return {record.file_name: record for record in read_records(out)[0]}


def measured(found: dict[str, Record]) -> dict[str, list[object]]:
    """All figures of each trial but how long it took."""
    return {
        name: [(one.arm, one.status, one.measurements, one.curves) for one in record.outcomes]
        for name, record in found.items()
    }


def check_the_same(planned: Plan, folder: Path) -> None:
    told = {launcher: run(planned, folder / launcher, launcher) for launcher in ("local", "ray")}
    here, there = records(folder / "local"), records(folder / "ray")
    assert len(here) == len(planned.trials)
    assert {record.status for record in here.values()} == {"ok"}
    assert here.keys() == there.keys(), "the same trials in the same environment"
    assert measured(here) == measured(there)
    effects = results.load(folder / "local").effects(control=True)
    assert len(effects)
    pd.testing.assert_frame_equal(effects, results.load(folder / "ray").effects(control=True))
    ended = {
        launcher: sum(e.record is not None for e in watcher.events) for launcher, watcher in told.items()
    }
    assert ended == {"local": len(here), "ray": len(here)}
    assert {trial.id for e in told["ray"].events for trial in e.running} <= {t.id for t in planned.trials}


def test_it_is_the_local_run_to_the_byte(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    check_the_same(untimed(str(tmp_path / "small.toml")), tmp_path)


@pytest.mark.slow
def test_so_is_the_built_in_study_where_nothing_varies(tmp_path: Path) -> None:
    check_the_same(untimed("quick"), tmp_path)

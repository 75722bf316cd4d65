"""Clusters of several nodes, each a raylet of its own on this machine: one host for what is timed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from results.records.record import Record
from runners import launchers, study
from runners.launchers import Event, Launcher, Task
from runners.plan import Plan, plan
from tests.runners import scripted_runs
from tests.runners.launchers.ray.clusters import descendants, wait_until

STOPWATCH = '''
"""Trials that tell when they began and ended, timed ones and others, in one wave."""
import time
from typing import Literal
from torch import nn
from ablations import architecture
from results.records.metric import Metric
from results.records.record import Measurement
from runners.outcomes import Findings, each_arm
from runners.probes import Probe, Result, WorkloadSettings


@architecture
def watched(*, level: Literal[1, 2, 3, 4] = 1) -> nn.Module:
    """Nothing.

    Args:
        level: Any.
    """
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))


class Settings(WorkloadSettings):
    """One key."""
    image_size: int = 8


def measure(trial, arm):
    began = time.monotonic()
    time.sleep(2.0)  # longer than trials need to begin
    ends = {"began": began, "ended": time.monotonic()}
    count = Measurement(f"{trial.workload.kind}_count", (1.0,), "observed", "any")
    return Findings((count,), details={"more": ends})


def probe(kind, timed):
    metric = Metric(f"{kind}_count", "count", "count", "lower", "ratio", 0.1, "One.", exact=True)
    return Probe(
        kind=kind, summary="tells when", settings=Settings, metrics=(metric,), block_unit="exact", wave=1,
        control=False, timed=timed, run=lambda trial: Result(each_arm(trial, measure)),
        estimate_seconds=lambda settings, macs, rate: 0.1,
    )


PROBES = (probe("timed", True), probe("plain", False))
'''
STUDY = """
architecture = "watched"
plugins = ["watched.py"]
[factors]
level = [1, 2, 3, 4]
[[workloads]]
kind = "timed"
[[workloads]]
kind = "plain"
"""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head of two CPUs; the driver joins it."""
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield found
    ray.shutdown()
    found.shutdown()


def joined(cluster: Cluster) -> Launcher:
    ray.shutdown()
    return launchers.get(f"ray:{cluster.address}")


def run(launcher: Launcher, planned: Plan, directory: Path, jobs: int) -> list[Record]:
    told: list[Event] = []
    tasks = iter([Task(trial, 1) for trial in planned.trials])
    launcher.run(tasks, directory=directory, environment="here", jobs=jobs, notify=told.append)
    return [event.record for event in told if event.record is not None]


@pytest.mark.slow
def test_what_is_timed_overlaps_with_nothing_on_its_host(tmp_path: Path, cluster: Cluster) -> None:
    cluster.add_node(num_cpus=2)
    (tmp_path / "watched.py").write_text(STOPWATCH)
    (tmp_path / "watched.toml").write_text(STUDY)
    launcher = joined(cluster)
    launcher.environment("cpu", pytest.fail)
    planned = plan(study.load(str(tmp_path / "watched.toml")))
    trials = tuple(trial for trial in planned.trials if trial.workload.kind != "complexity")
    mixed = sorted(trials, key=lambda trial: trial.arms[0].name)
    records = run(launcher, Plan(planned.study, tuple(mixed), ()), tmp_path, jobs=4)
    assert len(records) == 8
    spans = [
        (record.workload, more["began"], more["ended"])
        for record in records
        if (more := record.outcomes[0].details["more"])
    ]
    overlaps = [
        {one[0], other[0]}
        for number, one in enumerate(spans)
        for other in spans[:number]
        if one[1] < other[2] and other[1] < one[2]
    ]
    assert not [kinds for kinds in overlaps if any(kind.startswith("timed") for kind in kinds)]


@pytest.mark.slow
def test_a_trial_whose_node_dies_is_tried_on_another(tmp_path: Path, cluster: Cluster) -> None:
    second = cluster.add_node(num_cpus=2)
    launcher = joined(cluster)
    launcher.environment("cpu", pytest.fail)
    planned = scripted_runs.plan_of(scripted_runs.write_study(tmp_path, ["well", "print"], seconds=4.0))
    told: list[Event] = []
    gone: list[bool] = []
    tasks = iter([Task(trial, 1) for trial in planned.trials])

    def notify(event: Event) -> None:
        told.append(event)
        if not gone and len(event.running) == 2 and len(ray.nodes()) == 2:
            gone.append(True)
            cluster.remove_node(second, allow_graceful=False)

    launcher.run(tasks, directory=tmp_path, environment="here", jobs=2, notify=notify)
    records = [event.record for event in told if event.record is not None]
    assert gone
    assert [record.status for record in records] == ["ok", "ok"]


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two cores"
)
def test_a_node_that_differs_is_not_used_and_the_facts_are_named(tmp_path: Path, cluster: Cluster) -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        cluster.add_node(num_cpus=2)
    finally:
        os.sched_setaffinity(0, cores)
    said: list[str] = []
    facts = joined(cluster).environment("cpu", said.append)
    assert facts["cores"] == len(cores)
    (line,) = said
    assert line.endswith(f"is not used: its environment differs, in cores (1, not {len(cores)})")


@pytest.mark.slow
def test_a_run_that_is_interrupted_leaves_a_foreign_cluster_as_it_was(
    tmp_path: Path, cluster: Cluster, interruptible: None
) -> None:
    planned = scripted_runs.plan_of(scripted_runs.write_study(tmp_path, ["well", "print"], seconds=60.0))

    def notify(event: Event) -> None:
        if any("forkserver" in line for line in descendants(os.getpid()).values()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        joined(cluster).run(
            iter([Task(trial, 1) for trial in planned.trials]),
            directory=tmp_path, environment="here", jobs=2, notify=notify,
        )  # fmt: skip
    wait_until(lambda: not [line for line in descendants(os.getpid()).values() if "ray::scripted" in line])
    wait_until(lambda: not [line for line in descendants(os.getpid()).values() if "forkserver" in line])
    raylets = [line for line in descendants(os.getpid()).values() if "raylet/raylet" in line]
    assert len(raylets) == 1
    ray.init(cluster.address, log_to_driver=False)
    assert ray.get(ray.remote(lambda: 7).remote()) == 7

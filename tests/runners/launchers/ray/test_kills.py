"""Workers and trials that are killed: a second try, and nothing else is harmed."""

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import ray

from results.records.record import Record
from runners import launchers, study
from runners.launchers import Event, Task
from runners.plan import Plan, plan
from tests.runners import scripted_runs, trained_runs
from tests.runners.launchers.ray.clusters import Killer
from tests.runners.study_files import write_tiny

STUDY = """
architecture = "{name}"
plugins = ["{plugin}"]
[factors]
wide = [false, true]
[[workloads]]
kind = "memory"
image_size = {size}
batch_size = 8
simulate = []
measure = true
[[workloads]]
kind = "throughput"
image_size = 32
batch_size = 8
processes = 1
arm_seconds = 1.0
threads = 1
[[workloads]]
kind = "convergence"
dataset = "digits"
image_size = 8
train_images = 256
batch_size = 4
epochs = 20
seeds = 1
"""


def every_probe(folder: Path, name: str) -> Plan:
    """A trial of each kind and more, of a network that nothing is known of."""
    plugin = write_tiny(folder, name)
    path = folder / "killed.toml"
    path.write_text(STUDY.format(name=name, plugin=plugin, size=512))
    return plan(study.load(str(path)))


def run(planned: Plan, directory: Path, launcher: str, jobs: int = 2) -> dict[str, Record]:
    """The trials' records as the launcher tells of them, each once."""
    told: list[Event] = []
    tasks = [Task(trial, 1) for trial in planned.trials]
    launchers.get(launcher).run(
        iter(tasks), directory=directory, environment="here", jobs=jobs, notify=told.append
    )
    ended = [event.record for event in told if event.record is not None]
    assert len(ended) == len(tasks)
    return {record.trial: record for record in ended}


def figures(record: Record) -> list[object]:
    """What does not vary from run to run."""
    if record.workload.startswith("throughput"):
        return [(one.arm, one.status, {m.metric for m in one.measurements}) for one in record.outcomes]
    return [(one.arm, one.status, one.measurements, one.curves) for one in record.outcomes]


@pytest.mark.parametrize(
    ("trial_itself", "said"),
    [
        pytest.param(False, "its worker on node ", marks=pytest.mark.slow),
        pytest.param(True, "the process was ended by signal 9", marks=pytest.mark.slow),
    ],
    ids=["worker", "trial"],
)
def test_a_trial_that_is_killed_twice_is_a_row_and_the_next_is_well(
    tmp_path: Path, trial_itself: bool, said: str
) -> None:
    planned = scripted_runs.plan_of(scripted_runs.write_study(tmp_path, ["well", "print"], seconds=1.0))
    with Killer("scripted", 2, trial_itself=trial_itself) as killer:
        first, second = run(planned, tmp_path, "ray", jobs=1).values()
    assert len(killer.killed) == 2
    assert (first.status, second.status) == ("killed", "ok")
    assert (first.outcomes[0].reason or "").startswith(said)
    assert {path.name for path in (tmp_path / "records").iterdir()} == {first.file_name, second.file_name}


@pytest.mark.slow
@pytest.mark.parametrize("trial_itself", [False, True], ids=["worker", "trial"])
def test_a_kill_in_each_probe_costs_a_second_try_and_nothing_else(tmp_path: Path, trial_itself: bool) -> None:
    planned = every_probe(tmp_path, f"killed_{trial_itself}".lower())
    undisturbed = run(planned, tmp_path / "local", "local")
    kinds = {trial.workload.kind: trial.workload.name for trial in planned.trials}
    assert kinds.keys() == {"memory", "throughput", "convergence", "complexity"}
    with ExitStack() as stack:
        killers = [stack.enter_context(Killer(name, 1, trial_itself=trial_itself)) for name in kinds.values()]
        found = run(planned, tmp_path / "ray", "ray")
    assert [len(killer.killed) for killer in killers] == [1] * 4
    assert {record.status for record in found.values()} == {"ok"}
    assert {record.attempt for record in found.values()} == {1}
    assert {trial: figures(one) for trial, one in found.items()} == {
        trial: figures(one) for trial, one in undisturbed.items()
    }


@pytest.mark.slow
def test_a_training_that_is_killed_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray.shutdown()
    monkeypatch.setenv(trained_runs.PACE, "0.1")  # which a cluster takes over when it is started
    path = trained_runs.write_study(tmp_path, {"noise": ["none", "dropout"]}, {})
    planned = trained_runs.plan_of(path)
    planned = replace(planned, trials=planned.trials[:1])
    folder = tmp_path / "ray" / "checkpoints"
    folder.parent.mkdir()  # as a run directory is there before its first trial
    with Killer("convergence", 1, when=lambda: list(folder.glob("*.safetensors"))):
        (record,) = run(planned, tmp_path / "ray", "ray").values()
    (step,) = record.details["resumed_at_step"]
    assert step > 0
    (undisturbed,) = run(planned, tmp_path / "local", "local").values()
    assert figures(record) == figures(undisturbed)
    assert list(folder.iterdir()) == []


def test_a_trial_that_takes_too_long_is_ended_as_locally(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = scripted_runs.plan_of(scripted_runs.write_study(tmp_path, ["well", "print"], seconds=60.0))
    trial = replace(planned.trials[0], estimated_seconds=-5.9)  # of which 120 and twenty times that is 2 s
    start = time.monotonic()
    (record,) = run(replace(planned, trials=(trial,)), tmp_path, "ray").values()
    assert (record.status, record.outcomes[0].reason) == ("timed_out", "no result within its limit of 2 s")
    assert time.monotonic() - start < 50

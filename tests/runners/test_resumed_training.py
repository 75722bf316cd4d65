"""Trainings in real processes that are really killed: their records are those of an undisturbed run."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from results.records.directory import read_records
from results.records.record import Outcome, Record
from runners import checkpoints
from tests.runners.trained_runs import LAST_STEP, MARK, PACE, last_records, plan_of, run, write_study

ROOT = Path(__file__).parents[2]
WAITED_SECONDS = 120.0
SLOW = {PACE: "0.05"}
"""Of twenty steps: a kill finds them at it."""


def start(
    study: Path,
    out: Path,
    *options: object,
    environment: dict[str, str] | None = None,
    prepare: Callable[[], None] | None = None,
) -> "subprocess.Popen[bytes]":
    """A run in a session of its own, so that all of its processes can be killed at once."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.runners.trained_runs", *map(str, (study, out, *options))],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=prepare,  # noqa: PLW1509 - no threads here
    )


def kept(out: Path) -> set[tuple[str, int]]:
    """Checkpoints, and which writing of each."""
    found = set()
    for path in (out / checkpoints.FOLDER).glob(f"*{checkpoints.SUFFIX}"):
        try:
            found.add((path.name, path.stat().st_mtime_ns))
        except FileNotFoundError:  # its trial is over
            continue
    return found


def kill_in_the_middle(study: Path, out: Path, number: int) -> None:
    """Begin a run, and end all of its processes once a training has come farther."""
    before = kept(out)
    process = start(study, out, environment=SLOW)
    deadline = time.monotonic() + WAITED_SECONDS
    while kept(out) <= before:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, number)
    process.wait(WAITED_SECONDS)


def outcomes(out: Path) -> dict[str, tuple[Outcome, ...]]:
    return {name: record.outcomes for name, record in last_records(out).items()}


def resumed(out: Path) -> dict[str, list[int]]:
    details = {name: record.details for name, record in last_records(out).items()}
    return {name: found["resumed_at_step"] for name, found in details.items() if "resumed_at_step" in found}


@pytest.mark.slow
def test_trainings_that_were_killed_side_by_side_end_as_undisturbed_ones_one_by_one(
    tmp_path: Path, interruptible: None
) -> None:
    study = write_study(
        tmp_path,
        {"noise": ["none", "dropout"]},
        {"name": "sgd", "augmentation": "shift"},
        {"name": "adamw", "optimizer": "adamw", "learning_rate": 0.005},
    )
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    run(plan_of(study), alone, jobs=1)
    for number in (signal.SIGKILL, signal.SIGINT):  # the second as Ctrl-C does
        kill_in_the_middle(study, killed, number)
    assert kept(killed)
    assert start(study, killed).wait(WAITED_SECONDS) == 0
    assert outcomes(killed) == outcomes(alone)
    assert {record.status for record in last_records(alone).values()} == {"ok"}
    assert resumed(alone) == {}
    assert all(0 < step <= 20 for steps in resumed(killed).values() for step in steps)
    assert sum(len(steps) for steps in resumed(killed).values()) >= 2
    assert not (killed / checkpoints.FOLDER).exists()
    assert {record.attempt for record in read_records(killed)[0]} == {1}


DATA = """
from pathlib import Path

from runners.datasets import Dataset, get

FILE = Path({file!r})


def load(image_size):
    FILE.read_bytes()
    return get("digits").load(image_size)


DATASET = Dataset("fragile", "for a test", 1, 10, 1437, load, lambda: None if FILE.exists() else "gone")
"""


def by_arm(out: Path, workload: str) -> dict[str, list[Record]]:
    """All records, the first attempt first."""
    found: dict[str, list[Record]] = {}
    for record in sorted(read_records(out)[0], key=lambda one: one.attempt):
        if record.workload == workload:
            found.setdefault(record.outcomes[0].arm, []).append(record)
    return found


def test_nan_missing_data_and_a_killed_worker_are_rows_and_what_can_be_mended_is(tmp_path: Path) -> None:
    file, plugin, out = tmp_path / "images", tmp_path / "fragile.py", tmp_path / "run"
    plugin.write_text(DATA.format(file=str(file)))
    file.touch()
    study = write_study(
        tmp_path,
        {"fault": ["none", "die_once", "diverge"]},
        {"name": "whole"},
        {"name": "fragile", "dataset": "fragile", "epochs": 1},
        plugins=(plugin,),
    )
    environment = {MARK: str(tmp_path / "died")}
    assert start(study, out, "--lose", file, environment=environment).wait(WAITED_SECONDS) == 0

    whole = by_arm(out, "whole")
    assert {arm: record.status for arm, (record,) in whole.items()} == {
        "baseline": "ok",
        "(control)": "ok",
        "fault=die_once": "killed",
        "fault=diverge": "diverged",
    }
    reasons = {arm: record.outcomes[0].reason or "" for arm, (record,) in whole.items()}
    assert reasons["fault=die_once"].startswith("the process was ended by signal 9")
    assert reasons["fault=diverge"] == f"the training loss was nan at step {LAST_STEP} of 20"
    fragile = by_arm(out, "fragile")
    assert fragile.keys() == whole.keys(), "each arm says so"
    for (record,) in fragile.values():
        assert record.status == "failed"
        assert (record.outcomes[0].reason or "").startswith("FileNotFoundError: [Errno 2] No such file")
    assert [name for name, _ in kept(out)] == [f"{name_of(whole['fault=die_once'][0])}{checkpoints.SUFFIX}"]

    file.touch()
    assert start(study, out, "--retry-failed", environment=environment).wait(WAITED_SECONDS) == 0
    mended = last_records(out)
    assert {name: (one.status, one.attempt) for name, one in mended.items()} == {
        "whole/baseline/seed-0": ("ok", 1),
        "whole/(control)/seed-0": ("ok", 1),
        "whole/fault=die_once/seed-0": ("ok", 2),
        "whole/fault=diverge/seed-0": ("diverged", 1),
        **{f"fragile/{arm}/seed-0": ("ok", 2) for arm in whole},
    }
    died = mended["whole/fault=die_once/seed-0"]
    assert died.details["resumed_at_step"] == [LAST_STEP - 1]
    (well,) = mended["whole/baseline/seed-0"].outcomes
    assert died.outcomes[0].curves == well.curves
    assert died.outcomes[0].measurements == well.measurements
    assert not (out / checkpoints.FOLDER).exists()


def name_of(record: Record) -> str:
    return f"{record.trial}-{record.environment}"


def test_without_room_for_a_checkpoint_a_training_goes_on_and_says_so_once(tmp_path: Path) -> None:
    """By a limit on the size of files, beyond that of records: the system tells it like a full disk."""
    study = write_study(tmp_path, {"noise": ["none", "dropout"]}, {"name": "sgd"})
    roomy, full = tmp_path / "roomy", tmp_path / "full"
    run(plan_of(study), roomy)

    def leave_hardly_any_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))

    assert start(study, full, prepare=leave_hardly_any_room).wait(WAITED_SECONDS) == 0
    assert outcomes(full) == outcomes(roomy)
    for record in last_records(full).values():
        (line,) = (full / record.details["log"]).read_text().splitlines()
        assert line.startswith(f"no checkpoint after step 1, the training goes on: {full}/checkpoints/")
        assert "no room left" in line
    assert not (full / checkpoints.FOLDER).exists(), "nothing half-written is left"

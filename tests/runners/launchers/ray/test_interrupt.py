"""Ctrl-C in the middle: nothing is left behind, and the other launcher goes on with what is left."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from results.records.directory import read_records
from tests.runners.launchers.ray.clusters import ablate, descendants, finish, wait_until
from tests.runners.scripted_runs import write_study


def names(out: Path) -> set[str]:
    return {path.name for path in (out / "records").glob("*.json")}


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("first", "second"), [("ray", "local"), ("local", "ray")])
def test_begun_by_one_launcher_and_finished_by_the_other(tmp_path: Path, first: str, second: str) -> None:
    study, out = write_study(tmp_path, ["well", "print"], blocks=8, seconds=0.5), tmp_path / "run"
    begun = ablate("run", study, "--launcher", first, "--out", out, "--jobs", 2)
    wait_until(lambda: len(names(out)) >= 5 or begun.poll() is not None)
    assert begun.poll() is None
    family = set(descendants(begun.pid))
    assert family
    os.killpg(begun.pid, signal.SIGINT)
    code, _, error = finish(begun)
    assert code == 130
    assert error.splitlines()[-1] == "ablate: interrupted; the same command goes on where this one stopped"
    assert "Traceback" not in error
    wait_until(lambda: not [pid for pid in family if is_running(pid)])
    kept = {path: (out / "records" / path).stat().st_mtime_ns for path in names(out)}
    assert len(kept) < 18

    code, _, error = finish(ablate("run", study, "--launcher", second, "--out", out, "--jobs", 2))
    assert code == 0, error
    records, left_out = read_records(out)
    assert left_out == []
    assert len(records) == 18
    assert len({record.environment for record in records}) == 1
    assert {record.attempt for record in records} == {1}
    assert kept.items() <= {path: (out / "records" / path).stat().st_mtime_ns for path in names(out)}.items()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False

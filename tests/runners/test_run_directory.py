"""A run directory under siege: a full disk, and two runs at once; real commands, really killed."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from results.records.directory import read_records
from tests.runners.scripted_runs import plan_of, run, write_study

ROOT = Path(__file__).parents[2]
WAITED_SECONDS = 120.0


def start(
    module: str, *arguments: object, prepare: Callable[[], None] | None = None
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,  # noqa: PLW1509 - no threads here
    )


def written(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / "records").glob("*.json")}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAITED_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_full_disk_ends_a_run_in_one_line_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """By a limit on the size of files: the system tells it like a full disk, and it spares the machine."""
    study, out = write_study(tmp_path, ["well", "print", "big"]), tmp_path / "run"

    def leave_hardly_any_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    options = ("run", study, "--out", out, "--device", "cpu")
    first = start("runners", *options, prepare=leave_hardly_any_room)
    _, complaint = first.communicate(timeout=WAITED_SECONDS)
    assert first.returncode == 2
    (line,) = complaint.splitlines()
    assert line.startswith(f"ablate: {out}/records/")
    assert line.endswith(
        "no room left; make some, and run the same command again: it goes on where it stopped"
    )
    before = written(out)
    assert before
    assert [path for path in (out / "records").iterdir() if path.suffix != ".json"] == []

    run(plan_of(study), out)
    assert before.items() < written(out).items()
    records, left_out = read_records(out)
    assert left_out == []
    assert {"baseline", "act=print", "act=big"} == {
        r.outcomes[0].arm for r in records if r.workload == "scripted"
    }
    assert {(record.attempt, record.status) for record in records} == {(1, "ok")}


def test_of_two_runs_in_a_directory_the_second_waits_and_goes_on_when_the_first_is_killed(
    tmp_path: Path,
) -> None:
    study, out = write_study(tmp_path, ["well", "print"], blocks=4, seconds=0.2), tmp_path / "run"
    first = start("tests.runners.scripted_runs", study, out)
    wait_for(lambda: len(written(out)) >= 1)
    first.send_signal(signal.SIGSTOP)  # at work for as long as the second one takes to begin
    second = start("tests.runners.scripted_runs", study, out)
    assert second.stderr is not None
    assert second.stderr.readline() == (
        f"ablate: another run (process {first.pid}) is at work in {out};"
        " waiting until it ends, then going on with what is left\n"
    )
    seen = written(out)
    assert 1 <= len(seen) < 8
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=WAITED_SECONDS)
    _, complaint = second.communicate(timeout=WAITED_SECONDS)
    assert (second.returncode, complaint) == (0, "")
    assert seen.items() <= written(out).items(), "what the first one measured was written again"
    records, _ = read_records(out)
    assert len(records) == len({record.trial for record in records}) == 8
    assert {record.attempt for record in records} == {1}

"""Timed processes for real: what a fault costs, what a kill costs, and what a resumed run finds."""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest

import results
from results.records.directory import read_records
from tests.needs import require

ROOT = Path(__file__).parents[4]


def command(study: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "runners", "run", str(study), "--out", str(out), "--device", "cpu"]


def start(study: Path, out: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command(study, out),
        cwd=out.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def finish(study: Path, out: Path) -> int:
    return start(study, out).wait(timeout=300)


def written(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / "records").glob("*.json")}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    out = tmp_path_factory.mktemp("faults") / "run"
    return out, finish(ROOT / "tests" / "data" / "faults.toml", out)


def test_a_fault_in_a_timed_arm_is_a_row_with_its_reason_and_the_others_keep_their_figures(
    faults: tuple[Path, int],
) -> None:
    out, code = faults
    assert code == 1, "done, but some trial failed"
    run = results.load(out)
    trials = run.trials()
    timed = trials[trials["workload"] == "throughput"]
    ended = {str(arm): set(group["status"]) for arm, group in timed.groupby("arm")}
    assert ended["baseline"] == ended["(control)"] == {"ok"}
    assert ended["fault=hang"] == {"timed_out"}
    assert ended["fault=out_of_memory"] == {"out_of_memory"}
    assert ended["fault=sometimes"] == {"ok", "failed"}, "drawn so that both occur"
    reasons = timed.set_index("arm")["reason"]
    assert "longer than its limit of 0.5 s" in reasons["fault=hang"].iloc[0]
    assert "can't allocate memory" in reasons["fault=out_of_memory"].iloc[0]
    effects = run.effects(control=True)
    rows = effects[(effects["metric"] == "step_seconds") & (effects["mode"] == "train")].set_index("arm")
    assert rows.loc["(control)", "n"] == 8, "the control lost nothing to its neighbours"
    well = int((timed[timed["arm"] == "fault=sometimes"]["status"] == "ok").sum())
    assert rows.loc["fault=sometimes", "n"] == well
    assert f"{8 - well} of 8" in str(rows.loc["fault=sometimes", "note"])
    told = (out / "report" / "details.md").read_text()
    assert "longer than its limit" in told


def test_what_was_timed_beside_a_fault_is_not_timed_again(faults: tuple[Path, int]) -> None:
    out, _ = faults
    before = written(out)
    assert finish(ROOT / "tests" / "data" / "faults.toml", out) == 1
    assert written(out) == before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's heap is filled")
def test_each_timed_process_has_filled_the_holes_that_its_parent_left(faults: tuple[Path, int]) -> None:
    records = [one for one in read_records(faults[0])[0] if one.workload == "throughput"]
    assert len(records) == 8
    assert all(one.details["heap_bytes_filled"] > 100_000 for one in records)


PRECISE = """question = "Is a copy a copy?"
architecture = "resnet"

[factors]
relu = ["inplace", "out_of_place"]

[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 4 }
modes = ["inference"]
image_size = 32
batch_size = 4
threads = 1
arm_seconds = 0.2
processes = 10
half_width = 0.0001
max_processes = 12
"""


@pytest.mark.slow
def test_a_run_killed_again_and_again_loses_one_process_each_time_and_ends_as_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    study, out = tmp_path / "precise.toml", tmp_path / "run"
    study.write_text(PRECISE)
    seen: dict[str, int] = {}
    # In the first stage, after it, and in those that precision asks for.
    for count in (3, 7, 12):
        process = start(study, out)
        deadline = time.monotonic() + 120
        while len(written(out)) < count:
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1.0)  # the process under way notices that its parent is gone
        now = written(out)
        assert seen.items() <= now.items(), "a finished process was timed again"
        seen = now
    assert finish(study, out) == 0
    assert seen.items() <= written(out).items()
    records = list(read_records(out)[0])
    assert all(record.attempt == 1 for record in records), "an interrupted process leaves no record"
    timed = sorted(record.block for record in records if record.workload == "throughput")
    assert timed == sorted(f"process-{i}" for i in range(12)), "as many as declared at most, each once"

    # The analysis sees records alone: in a directory that never was interrupted they say the same.
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    shutil.rmtree(copy / "report")
    before = written(copy)
    assert finish(study, copy) == 0
    assert written(copy) == before
    pd.testing.assert_frame_equal(
        results.load(copy).effects(control=True), results.load(out).effects(control=True)
    )


COMPILED = PRECISE.replace("half_width = 0.0001\nmax_processes = 12", "compile = true").replace(
    "processes = 10", "processes = 1"
)


@pytest.mark.slow
def test_compiling_is_timed_apart_from_a_cold_cache_in_a_process_of_its_own(tmp_path: Path) -> None:
    require(shutil.which("g++"), "g++, which torch.compile calls")
    study, out = tmp_path / "compiled.toml", tmp_path / "run"
    study.write_text(COMPILED)
    before = set(Path(tempfile.gettempdir()).glob("ablate-inductor-*"))
    assert finish(study, out) == 0
    run = results.load(out)
    timed = [record for record in run.analysis.records if record.workload == "throughput"]
    assert [len(record.outcomes) for record in timed] == [1, 1, 1]
    figures = run.analysis.speed.set_index("arm")
    # An identical copy was compiled before, and yet no cache made this one fast.
    assert (figures["compile_seconds"] > 1).all()
    assert (figures["step_seconds"] < 0.5).all()
    assert set(Path(tempfile.gettempdir()).glob("ablate-inductor-*")) == before

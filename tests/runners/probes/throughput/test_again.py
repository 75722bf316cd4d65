"""`ablate run --again` for real: occasions added, one of them killed in its middle and taken up again."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

import results
from tests.runners.probes.throughput.test_run import command, start, written

STUDY = """architecture = "resnet"

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
processes = 3
"""


def ablate(study: Path, out: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*command(study, out), "--quiet", *options], capture_output=True, text=True, timeout=300, check=False
    )


def refused(found: "subprocess.CompletedProcess[str]") -> str:
    assert found.returncode == 2
    (line,) = found.stderr.splitlines()
    return line


def blocks(out: Path) -> list[str]:
    trials = results.load(out).trials()
    return sorted(set(trials[trials["workload"] == "throughput"]["block"]))


@pytest.mark.slow
def test_occasions_are_added_killed_and_resumed(tmp_path: Path) -> None:
    study, out = tmp_path / "again.toml", tmp_path / "run"
    study.write_text(STUDY)
    line = refused(ablate(study, out, "--again"))
    assert line == f"ablate: --again: no run in {out} yet; run it first, without --again"
    assert not out.exists()
    assert "leave one of them out" in refused(ablate(study, out, "--again", "--fresh"))
    assert ablate(study, out).returncode == 0
    first = written(out)
    assert blocks(out) == ["process-0", "process-1", "process-2"]

    process = subprocess.Popen(
        [*command(study, out), "--again"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while len(written(out)) < len(first) + 1:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.0)  # the process under way notices that its parent is gone
    killed = written(out)
    assert len(first) < len(killed) < len(first) + 3
    assert "timed trials to run; finish them first" in refused(ablate(study, out, "--again"))
    assert written(out) == killed

    assert start(study, out).wait(timeout=300) == 0, "the same command without --again takes it up"
    second = written(out)
    assert killed.items() < second.items()
    assert len(second) == len(first) + 3, "and nothing but what is timed was repeated"
    assert blocks(out) == [f"process-{i}{on}" for i in range(3) for on in ("", "@1")]

    assert ablate(study, out, "--again").returncode == 0
    run = results.load(out)
    assert second.items() < written(out).items()
    assert len(run.analysis.records) == len(second) + 3
    assert run.analysis.missing.empty
    effects = run.effects()
    times = effects[(effects["metric"] == "step_seconds") & (effects["mode"] == "inference")]
    assert set(times["n"]) == {9}
    assert set(run.analysis.occasions["occasions"]) == {3}
    assert "these 3 occasions" in (out / "report" / "details.md").read_text()
    assert (out / "report" / "tables" / "occasions.csv").is_file()

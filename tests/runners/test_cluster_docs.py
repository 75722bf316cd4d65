"""docs/slurm.sh does what docs/cluster.md says, wherever bash runs: the array's jobs, then the last one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from results.records.directory import read_records
from tests.runners.scripted_runs import plan_of, write_study

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "slurm.sh"


@pytest.mark.slow
def test_jobs_of_the_array_and_the_last_one_make_one_run(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "ablate"
    command.parent.mkdir()
    command.write_text(f'#!/bin/bash\nexec "{sys.executable}" -m runners "$@"\n')
    command.chmod(0o755)
    study = write_study(tmp_path, ["well", "fail_anew"], blocks=7)

    def job(**variables: str) -> "subprocess.CompletedProcess[str]":
        path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)} | variables
        return subprocess.run(
            ["bash", str(SCRIPT), study.name],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    # Two of the eight: what the others have not run is left to the last job.
    shares = [job(SLURM_ARRAY_TASK_ID=str(number)) for number in (1, 8)]
    assert {done.stderr for done in shares} == {""}
    assert (tmp_path / "runs" / "scripted-8-of-8" / "report" / "index.html").is_file()
    last = job()
    assert (last.returncode, last.stderr) == (1, ""), "some trials fail, as they shall"
    records, left_out = read_records(tmp_path / "runs" / "scripted")
    mine = {record.trial for record in records if record.workload == "scripted"}
    assert mine == {trial.id for trial in plan_of(study).trials}
    assert len(records) == len({record.trial for record in records}), "nothing was run twice"
    assert left_out == []


def test_the_script_is_short_and_the_page_submits_it() -> None:
    page = (ROOT / "docs" / "cluster.md").read_text()
    assert len(SCRIPT.read_text().splitlines()) <= 12
    assert "--array=1-8 slurm.sh" in page
    assert "of-8" in SCRIPT.read_text()

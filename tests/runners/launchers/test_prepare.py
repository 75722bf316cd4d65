"""The server that trials are forked from is begun while there is still planning to do."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os
import signal
from multiprocessing import forkserver
from runners import launchers
launchers.get("local").prepare()
print(forkserver._forkserver._forkserver_pid, signal.getsignal(signal.SIGINT) == signal.default_int_handler)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="reads what the system tells of a process"
)
@pytest.mark.usefixtures("interruptible")
def test_it_is_there_when_preparation_returns_and_ctrl_c_does_not_reach_its_imports() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"{PROGRAM}input()"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        server, still_heard_here = process.stdout.readline().split()
        status = Path(f"/proc/{server}/status").read_text()
        os.kill(int(server), signal.SIGKILL)
        process.communicate("\n")
    ignored = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    assert int(ignored, 16) >> (signal.SIGINT - 1) & 1
    assert still_heard_here == "True"
    assert process.returncode == 0


def test_bad_input_starts_nothing_that_a_reader_of_the_output_would_wait_for() -> None:
    start = "from multiprocessing import forkserver; from runners.__main__ import _main; code = _main({}); "
    told = "print(code, forkserver._forkserver._forkserver_pid)"
    command = [sys.executable, "-c", start.format(["run", "no-such-study"]) + told]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["2", "None"]

"""Whether others are at work on the machine, before anything is timed on it."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runners.machine_speed import others_at_work
from runners.probes.memory.settings import MemorySettings
from runners.probes.throughput.settings import ThroughputSettings


@pytest.fixture
def busy() -> Iterator[None]:
    other = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=-1)
    assert other.stdout is not None
    other.stdout.readline()
    yield
    other.kill()
    other.communicate()


@pytest.mark.usefixtures("busy")
def test_others_at_work_are_told_where_anything_is_timed() -> None:
    timed, simulated = ThroughputSettings(kind="throughput"), MemorySettings(kind="memory")
    said = others_at_work([simulated, timed])
    assert said is not None
    cores = re.match(r"other processes use ([\d.]+) of \d+ cores: what is timed takes longer", said)
    assert cores is not None
    assert float(cores[1]) > 0.5
    assert others_at_work([simulated]) is None

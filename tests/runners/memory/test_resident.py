"""Resident memory, as the operating system counts it."""

import subprocess
import sys
from pathlib import Path

import pytest

from runners.memory import resident
from runners.memory.resident import reset_peak

MIB = 2**20
linux = pytest.mark.skipif(sys.platform != "linux", reason="resident peaks are read from Linux's /proc")


_SEEN = """
import torch
from runners.memory.resident import peak_resident_bytes, reset_peak
reset_peak()
before = peak_resident_bytes()
held = torch.ones(64 * 2**20, dtype=torch.uint8)
del held
after = peak_resident_bytes()
reset_peak()
print(after - before, peak_resident_bytes() - before)
"""


@linux
def test_a_peak_is_seen_after_it_is_over_and_forgotten_on_reset() -> None:
    # In a process of its own: a larger one may have 64 MiB to spare from what it freed before.
    finished = subprocess.run([sys.executable, "-c", _SEEN], capture_output=True, text=True, check=True)
    seen, forgotten = map(int, finished.stdout.split())
    assert 60 * MIB < seen < 80 * MIB
    assert forgotten < 16 * MIB


_ALONE = """
import torch
from runners.memory.resident import measure_resident
from runners.memory.settings import StepSettings
from tests.runners.memory.cases import one_convolution
torch.set_num_threads(1)
settings = StepSettings((8, 3, 256, 256), target_shape=(8, 256, 256))
measured = measure_resident(one_convolution, settings)
print(measured.before_bytes, *measured.peak_by_phase, *measured.peak_by_phase.values())
"""


@linux
def test_each_phase_has_a_peak_of_its_own_in_a_process_of_its_own() -> None:
    finished = subprocess.run([sys.executable, "-c", _ALONE], capture_output=True, text=True, check=True)
    words = finished.stdout.split()
    assert words[1:4] == ["forward", "backward", "optimizer_step"]
    before, forward, backward, update = map(int, (words[0], *words[4:]))
    maps = 8 * 8 * 256 * 256 * 4  # the output and its log-softmax are alive at the end of forward
    assert 1.5 * maps <= forward - before <= 4 * maps
    assert backward > forward
    assert backward > update


def test_a_system_that_cannot_reset_the_peak_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resident, "_CLEAR", tmp_path / "absent" / "clear_refs")
    with pytest.raises(ValueError, match=r"^peak of resident memory: .*clear_refs cannot be written \(.+\)$"):
        reset_peak()

"""The machine's state: counters against work that is really done, codes against states that are known."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from runners.probes.throughput.cgroup import throttled_counter, throttled_seconds
from runners.probes.throughput.machine import Machine
from runners.probes.throughput.machine_state import MachineState, Snapshot, marks

IDLE = Snapshot(100.0, 50.0, 1.0, 10.0, 0.0, 2000.0, None, 5.0)
QUIET = MachineState(1.0, 0.0, 0.0, 0.0, 2000.0, None, None, 0.02)


def test_the_work_of_others_is_what_was_busy_less_our_own() -> None:
    after = replace(IDLE, wall=102.0, busy=53.0, own=12.0, steal=1.4, throttled=0.5, energy_joules=35.0)
    state = MachineState.between(IDLE, after, cores=4)
    assert state.seconds == pytest.approx(2.0)
    assert state.others_cores == pytest.approx((3.0 - 2.0) / 2)
    assert state.steal_share == pytest.approx(0.4 / (2 * 4))
    assert state.throttled_share == pytest.approx(0.25)
    assert state.energy_joules == pytest.approx(30.0)


def test_what_the_system_does_not_tell_stays_unknown() -> None:
    blind = replace(IDLE, throttled=None, energy_joules=None, clock_mhz=None)
    state = MachineState.between(blind, replace(blind, wall=101.0), cores=1)
    assert state.throttled_share is state.energy_joules is state.clock_mhz is None
    assert marks([state]) == [[]]


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        (QUIET, []),
        (replace(QUIET, others_cores=0.5), ["busy"]),
        (replace(QUIET, others_cores=0.5, slack=0.4), []),
        (replace(QUIET, steal_share=0.1), ["steal"]),
        (replace(QUIET, throttled_share=0.2), ["throttled"]),
        (replace(QUIET, clock_mhz=1500.0), ["clock"]),
        (replace(QUIET, device_throttling="power limit"), ["device"]),
        (replace(QUIET, others_cores=2.0, clock_mhz=1500.0), ["busy", "clock"]),
    ],
)
def test_a_changed_state_is_marked_with_its_cause(changed: MachineState, codes: list[str]) -> None:
    assert marks([QUIET, changed, QUIET]) == [[], codes, []]


def test_another_process_at_work_is_seen() -> None:
    machine = Machine("cpu", sorted(os.sched_getaffinity(0)))

    def watch(seconds: float) -> MachineState:
        before = machine.snapshot()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(1000))
        return MachineState.between(before, machine.snapshot(), machine.count)

    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        before = psutil.Process(other.pid).cpu_times().user
        state = watch(1.0)
        worked = psutil.Process(other.pid).cpu_times().user - before
    finally:
        other.kill()
        other.wait()
    # What it says at least is what that process had by the kernel's own account; others may add to it.
    assert worked > 0
    assert state.others_cores >= worked / state.seconds - 0.05


def test_a_cgroup_is_read_in_both_versions(tmp_path: Path) -> None:
    assert throttled_seconds("usage_usec 5\nnr_throttled 2\nthrottled_usec 2500000\n") == 2.5
    assert throttled_seconds("nr_periods 4\nthrottled_time 2500000000\n") == 2.5
    assert throttled_seconds("usage_usec 5\n") is None
    own = tmp_path / "cgroup"
    two = tmp_path / "fs" / "my.slice"
    two.mkdir(parents=True)
    (two / "cpu.stat").write_text("throttled_usec 1\n")
    own.write_text("0::/my.slice\n")
    assert throttled_counter(tmp_path / "fs", own) == two / "cpu.stat"
    one = tmp_path / "fs" / "cpu" / "box"
    one.mkdir(parents=True)
    (one / "cpu.stat").write_text("throttled_time 1\n")
    own.write_text("5:memory:/box\n3:cpu,cpuacct:/box\n")
    assert throttled_counter(tmp_path / "fs", own) == one / "cpu.stat"
    own.write_text("3:memory:/box\n")
    assert throttled_counter(tmp_path / "fs", own) is None
    assert throttled_counter(tmp_path / "fs", tmp_path / "absent") is None

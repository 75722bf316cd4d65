"""The state of the machine while arms are timed: who else was at work, and what held us back."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

BUSY_CORES = 0.25
"""Others at work with a quarter of a core or more disturb caches and memory even where cores are free."""
STEAL_SHARE = 0.02
THROTTLED_SHARE = 0.005
CLOCK_CHANGE = 0.05
"""Marked from here on: two parts in a hundred of the machine, or a clock 5 % off, move a step as much."""
_TICK_SECONDS = 0.01
"""The kernel counts busy time in ticks: a difference of one tick per core is no news."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters at one moment; None where the system does not tell.

    Attributes:
        wall: Seconds of the monotonic clock.
        busy: Core-seconds that all processes worked since boot.
        steal: Core-seconds that the hypervisor took.
        own: Core-seconds of this process.
        throttled: Seconds that the cgroup's CPU limit held this process's group.
        clock_mhz: Clock of the cores in use, or of the accelerator.
        device_throttling: Why the accelerator runs below its clock, in words; None if it does not.
        energy_joules: Counter of the accelerator's or the processor's energy.
    """

    wall: float
    busy: float
    steal: float
    own: float
    throttled: float | None
    clock_mhz: float | None
    device_throttling: str | None
    energy_joules: float | None


@dataclass(frozen=True, slots=True)
class MachineState:
    """What happened between two snapshots; see the fields of `Snapshot`.

    Attributes:
        seconds: Wall time between them.
        others_cores: Cores' worth of work that other processes did.
        steal_share: Share of all cores' time that the hypervisor took.
        throttled_share: Share of the time that the cgroup's limit held the group.
        slack: What the rounding of the kernel's ticks may amount to in `others_cores`.
    """

    seconds: float
    others_cores: float
    steal_share: float
    throttled_share: float | None
    clock_mhz: float | None
    device_throttling: str | None
    energy_joules: float | None
    slack: float

    @classmethod
    def between(cls, before: Snapshot, after: Snapshot, cores: int) -> "MachineState":
        """From two snapshots of a machine with that many cores."""
        wall = max(after.wall - before.wall, 1e-9)
        others = (after.busy - before.busy) - (after.own - before.own)
        return cls(
            seconds=wall,
            others_cores=max(0.0, others / wall),
            steal_share=max(0.0, after.steal - before.steal) / (wall * cores),
            throttled_share=_difference(before.throttled, after.throttled, wall),
            clock_mhz=after.clock_mhz,
            device_throttling=after.device_throttling,
            energy_joules=_difference(before.energy_joules, after.energy_joules, 1.0),
            slack=_TICK_SECONDS * cores / wall,
        )


def _difference(before: float | None, after: float | None, unit: float) -> float | None:
    return None if before is None or after is None else max(0.0, (after - before) / unit)


def marks(states: Sequence[MachineState]) -> list[list[str]]:
    """For each stretch of a process in what way the machine's state was changed: codes, none if it was not.

    `busy`: other processes worked; `steal`: the hypervisor took time; `throttled`: the cgroup's limit held
    the process; `clock`: the clock differs from its median over all stretches; `device`: the accelerator
    throttles.
    """
    clocks = [state.clock_mhz for state in states if state.clock_mhz]
    usual = median(clocks) if clocks else None
    return [_codes(state, usual) for state in states]


def _codes(state: MachineState, usual_mhz: float | None) -> list[str]:
    found = {
        "busy": state.others_cores > BUSY_CORES + state.slack,
        "steal": state.steal_share > STEAL_SHARE + state.slack / 2,
        "throttled": (state.throttled_share or 0.0) > THROTTLED_SHARE,
        "clock": bool(usual_mhz and state.clock_mhz and abs(state.clock_mhz / usual_mhz - 1) > CLOCK_CHANGE),
        "device": state.device_throttling is not None,
    }
    return [code for code, is_so in found.items() if is_so]

"""The machine watched over stretches of some rounds."""

import time

from runners.probes.throughput.machine import Machine
from runners.probes.throughput.machine_state import MachineState, Snapshot

WATCH_SHARE = 0.001
"""What reading the machine's counters may take, as a share of the time between two readings."""
FEWEST_WATCH_SECONDS = 0.25
"""The kernel counts in ticks of 10 ms: a shorter watch would see little but their rounding."""


class Watch:
    """The machine's state over stretches of some rounds, each long enough for the kernel's counters."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        start = time.perf_counter()
        self._since: Snapshot = machine.snapshot()
        self._shortest = max(FEWEST_WATCH_SECONDS, (time.perf_counter() - start) / WATCH_SHARE)
        self.states: list[MachineState] = []

    def begin(self) -> None:
        """Start anew."""
        self.states = []
        self._since = self._machine.snapshot()

    def look(self, *, last: bool) -> bool:
        """Read the counters if it is time to, or these were the last rounds; whether it was."""
        if not last and time.perf_counter() - self._since.wall < self._shortest:
            return False
        now = self._machine.snapshot()
        self.states.append(MachineState.between(self._since, now, self._machine.count))
        self._since = now
        return True

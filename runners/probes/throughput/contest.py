"""Arms that take turns, one block a round, after a warm-up; a fault takes one arm out and no other."""

import gc
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from runners.outcomes import TimedOut
from runners.probes.throughput.clock import Block, Step, time_block
from runners.probes.throughput.machine import Machine, MachineState, Snapshot
from runners.probes.throughput.steady import WarmUp, warm_up

OVERHEAD_SHARE = 0.003
"""What the clock may add to a block, as a share of it: blocks are made long enough for that, and no longer
than needed, since what disturbs a machine changes within milliseconds and only neighbours share it."""
WARM_UP_SECONDS = 10.0
FEWEST_ROUNDS = 8
WATCH_SHARE = 0.001
"""What reading the machine's counters may take, as a share of the time between two readings."""
FEWEST_WATCH_SECONDS = 0.25
"""The kernel counts in ticks of 10 ms: a shorter watch would see little but their rounding."""


@dataclass
class Contestant:
    """An arm in the ring.

    Attributes:
        name: The arm's name.
        step: What is timed.
        warm_up: How it was warmed up.
        steps_per_block: Steps of each block.
        blocks: What was timed so far, a block a round.
    """

    name: str
    step: Step
    warm_up: WarmUp
    steps_per_block: int
    blocks: list[Block] = field(default_factory=list)

    @property
    def block_seconds(self) -> float:
        """What a block lasts when nothing disturbs it."""
        return self.steps_per_block * self.warm_up.best_seconds


@dataclass(frozen=True, slots=True)
class Ring:
    """Where arms are timed.

    Attributes:
        device: `cpu`, `cuda`, ...
        limit_seconds: What a warm-up step or a block may last before its arm is given up.
        block_seconds: The shortest block.
    """

    device: str
    limit_seconds: float
    block_seconds: float = 0.0

    def enter(self, name: str, step: Step) -> Contestant:
        """Warm an arm up and set the length of its blocks.

        Raises:
            TimedOut: A step lasted longer than the limit.
        """

        def timed(steps: int) -> float:
            with limit(self.limit_seconds):
                return time_block(step, steps, self.device).step_seconds

        warmed = warm_up(timed, seconds=WARM_UP_SECONDS)
        steps = max(1, math.ceil(self.block_seconds / warmed.best_seconds))
        return Contestant(name, step, warmed, steps)

    def time(self, contestant: Contestant) -> None:
        """Time one block of the contestant.

        Raises:
            TimedOut: It lasted longer than the limit.
        """
        with limit(self.limit_seconds):
            block = time_block(contestant.step, contestant.steps_per_block, self.device)
        contestant.blocks.append(block)


def rounds(contestants: Sequence[Contestant], *, arm_seconds: float, most: int) -> int:
    """How many rounds give each arm its time: an even number, so that drifts cancel, between 8 and `most`."""
    lasts = sum(contestant.block_seconds for contestant in contestants)
    count = math.ceil(arm_seconds * len(contestants) / lasts) if lasts else 0
    return min(most, 2 * math.ceil(max(FEWEST_ROUNDS, count) / 2))


def compete(
    ring: Ring,
    contestants: Sequence[Contestant],
    orders: Sequence[Sequence[int]],
    watch: "Watch",
    failed: Callable[[str, Exception], None],
) -> None:
    """Run the rounds: in each, one block of each arm that is still in.

    Garbage is collected between rounds, never within a block; what exists before the first round is set
    aside, so that a collection costs next to nothing.

    Args:
        ring: Where.
        contestants: Who, warmed up.
        orders: For each round the positions of all contestants.
        watch: Watches the machine meanwhile, between rounds.
        failed: Told the arm's name and what it raised; the arm is out from then on.
    """
    out: set[str] = set()
    gc.freeze()
    gc.disable()
    watch.begin()
    try:
        for count, order in enumerate(orders, start=1):
            for contestant in (contestants[position] for position in order):
                if contestant.name not in out:
                    try:
                        ring.time(contestant)
                    except Exception as error:  # noqa: BLE001 - an arm may fail in any way
                        out.add(contestant.name)
                        failed(contestant.name, error)
            if watch.look(last=count == len(orders)):
                gc.collect(0)  # what was born since: the young generation is all there is
    finally:
        gc.enable()
        gc.unfreeze()


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


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise `TimedOut` when the time is over; by an alarm, so in the main thread of a POSIX system.

    Elsewhere, and for code that never returns to Python, the limit of the whole trial is what is left.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring_bell(*_: object) -> None:
        raise TimedOut(f"a step or a block lasted longer than its limit of {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring_bell)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def overhead_seconds(ring: Ring, tries: int = 50) -> tuple[float, float]:
    """What timing costs, inside a block beside its steps and in a whole turn; medians over empty blocks.

    Returns:
        Seconds that the clock and the loop add to a block of one step, and seconds of a whole turn
        (alarm, clock, bookkeeping) of an arm that does nothing.
    """
    idle = Contestant("", lambda mark: mark(), WarmUp((1.0,), 1, steady=True), 1)
    turns = []
    for _ in range(tries):
        start = time.perf_counter()
        ring.time(idle)
        turns.append(time.perf_counter() - start)
    inside = sorted(block.seconds for block in idle.blocks)
    return inside[tries // 2], sorted(turns)[tries // 2]

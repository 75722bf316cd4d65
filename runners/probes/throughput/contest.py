"""Arms that take turns, one a round, after a warm-up; a fault takes one arm out and no other."""

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runners.probes.throughput.clock import Step, Turn, time_turn
from runners.probes.throughput.limits import limit
from runners.probes.throughput.settings import FEWEST_ROUNDS
from runners.probes.throughput.steady import WarmUp, warm_up
from runners.probes.throughput.watch import Watch

OVERHEAD_SHARE = 0.003
"""What the clock may add to a turn, as a share of it: turns are made long enough for that, and no longer
than needed, since what disturbs a machine changes within milliseconds and only neighbours share it."""
WARM_UP_SECONDS = 10.0


@dataclass
class Contestant:
    """An arm in the ring.

    Attributes:
        name: The arm's name.
        step: What is timed.
        warm_up: How it was warmed up.
        steps_per_turn: Steps of each turn.
        turns: What was timed so far, a turn a round.
    """

    name: str
    step: Step
    warm_up: WarmUp
    steps_per_turn: int
    turns: list[Turn] = field(default_factory=list)

    @property
    def turn_seconds(self) -> float:
        """What a turn lasts when nothing disturbs it."""
        return self.steps_per_turn * self.warm_up.best_seconds


@dataclass(frozen=True, slots=True)
class Ring:
    """Where arms are timed.

    Attributes:
        device: `cpu`, `cuda`, ...
        limit_seconds: What a warm-up step or a turn may last before its arm is given up.
        turn_seconds: The shortest turn.
    """

    device: str
    limit_seconds: float
    turn_seconds: float = 0.0

    def enter(self, name: str, step: Step) -> Contestant:
        """Warm an arm up and set the length of its turns.

        Raises:
            TimedOut: A step lasted longer than the limit.
        """

        def timed(steps: int) -> float:
            with limit(self.limit_seconds):
                return time_turn(step, steps, self.device).step_seconds

        warmed = warm_up(timed, seconds=WARM_UP_SECONDS)
        steps = max(1, math.ceil(self.turn_seconds / warmed.best_seconds))
        return Contestant(name, step, warmed, steps)

    def time(self, contestant: Contestant) -> None:
        """Time one turn of the contestant, after a step that is not timed.

        That step brings its weights back into the caches, which the others had meanwhile: whoever uses a
        network runs it step after step, and does not find them cold.

        Raises:
            TimedOut: It lasted longer than the limit.
        """
        with limit(self.limit_seconds):
            contestant.step(_unmarked)
            turn = time_turn(contestant.step, contestant.steps_per_turn, self.device)
        contestant.turns.append(turn)


def _unmarked() -> None:
    """For a step whose phases nobody asks for."""


def rounds(contestants: Sequence[Contestant], *, arm_seconds: float, most: int) -> int:
    """How many rounds give each arm its time: an even number, so that drifts cancel, between 8 and `most`."""
    lasts = sum(contestant.turn_seconds for contestant in contestants)
    count = math.ceil(arm_seconds * len(contestants) / lasts) if lasts else 0
    return min(most, 2 * math.ceil(max(FEWEST_ROUNDS, count) / 2))


def compete(
    ring: Ring,
    contestants: Sequence[Contestant],
    orders: Sequence[Sequence[int]],
    watch: Watch,
    failed: Callable[[str, BaseException], None],
) -> None:
    """Run the rounds: in each, one turn of each arm that is still in.

    Garbage is collected between rounds, never within a turn; what exists before the first round is set
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
                    except BaseException as error:  # noqa: BLE001 - an arm may fail in any way
                        out.add(contestant.name)
                        failed(contestant.name, error)
            if watch.look(last=count == len(orders)):
                gc.collect(0)  # what was born since: the young generation is all there is
    finally:
        gc.enable()
        gc.unfreeze()


def overhead_seconds(ring: Ring, tries: int = 50) -> tuple[float, float]:
    """What timing costs, by turns of an arm that does nothing; medians.

    Returns:
        Seconds that the clock and the loop add between its two readings, and seconds in all (alarm, clock,
        bookkeeping).
    """
    idle = Contestant("", lambda mark: mark(), WarmUp((1.0,), 1, steady=True), 1)
    lasted = []
    for _ in range(tries):
        start = time.perf_counter()
        ring.time(idle)
        lasted.append(time.perf_counter() - start)
    inside = sorted(turn.seconds for turn in idle.turns)
    return inside[tries // 2], sorted(lasted)[tries // 2]

"""How much time a run may take, from the start of its process to the end of its report."""

import time
from dataclasses import dataclass

import psutil

from runners.durations import parse_duration
from runners.probes.throughput.machine import seconds_since_fork

_PACE_LOOPS = 60_000
_PACE_SECONDS, _MOST_PACE = 0.02, 6.0
"""What these loops take on the machine whose reports were timed; and when a pace is not believed."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The time that a run may take.

    Attributes:
        seconds: As it was given.
        begun: When the process began, on the clock of `time.monotonic`.
        pace: How many times longer a report takes here than where reports were timed.
    """

    seconds: float
    begun: float
    pace: float = 1.0

    @classmethod
    def of_this_process(cls, text: str | None) -> "Budget | None":
        """As `--budget` has it; it counts from the start of this process, imports and planning included.

        Raises:
            BadInput: It is no duration.
        """
        if text is None:
            return None
        return cls(parse_duration(text, "--budget"), time.monotonic() - age_seconds())

    @property
    def end(self) -> float:
        """When it is spent, on the clock of `time.monotonic`."""
        return self.begun + self.seconds


def age_seconds() -> float:
    """Since this process was started; 10 ms exact on Linux, a second elsewhere."""
    return seconds_since_fork() or max(0.0, time.time() - psutil.Process().create_time())


def report_seconds(contrasts: int, trials: int, pace: float) -> float:
    """Forecast of a report, with ending what is under way before it and the process after it.

    Fitted to reports of 5 to 94 contrasts and 10 to 304 trials, which took 1.1 to 11 s.

    Args:
        contrasts: Pairs of a workload and an arm with anything on record.
        trials: On record.
        pace: See `Budget`.
    """
    return 0.5 + pace * (1.0 + 0.06 * contrasts + 0.008 * trials)


def pace_here() -> float:
    """How many times longer Python takes here and now than where reports were timed: from 1 to 6.

    How fast the machine is without others, the best of some tries, times what others left this process so
    far of the time that it could have used: on an idle machine planning takes 1.3 times its own work.
    """
    tries = []
    for _ in range(5):
        start = time.perf_counter()
        found: dict[str, int] = {}
        for number in range(_PACE_LOOPS):
            found[str(number % 997)] = found.get(str(number % 991), 0) + number
        tries.append(time.perf_counter() - start)
    waited = max(1.0, age_seconds() / max(time.process_time(), 0.1) / 1.3)
    return min(_MOST_PACE, waited * max(1.0, min(tries) / _PACE_SECONDS))

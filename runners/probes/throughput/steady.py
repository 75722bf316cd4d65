"""When a warm-up is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

TOLERANCE = 0.02
FEWEST, MOST = 4, 100
CHUNK_SECONDS = 0.005
"""Steps shorter than this are warmed up several at a time, or a stray interrupt would decide."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A warm-up that ended.

    Attributes:
        step_seconds: Seconds per step of each sample, the first one included.
        steps: Steps taken.
        steady: Whether it ended because the steps no longer got faster, not because it took too long.
    """

    step_seconds: tuple[float, ...]
    steps: int
    steady: bool

    @property
    def best_seconds(self) -> float:
        """The fastest step: what a step takes when nothing disturbs it."""
        return min(self.step_seconds)


def is_steady(samples: Sequence[float]) -> bool:
    """Whether the second half of the samples holds none that is faster than the first half's fastest.

    What a warm-up removes (lazy initialisation, cold caches, a growing heap, a clock that speeds up) only
    makes early steps slower, and other programs only make steps slower: so the fastest of each half are
    compared, within 2 %, which a disturbance of some steps does not touch.

    Args:
        samples: Seconds per step, in the order they were taken.
    """
    if len(samples) < FEWEST:
        return False
    half = len(samples) // 2
    return min(samples[half:]) >= (1 - TOLERANCE) * min(samples[:half])


def warm_up(timed: Callable[[int], float], *, seconds: float) -> WarmUp:
    """Run steps until they are steady.

    Args:
        timed: Runs so many steps and returns the seconds of one.
        seconds: What the steps after the first, which may compile, may take before it is given up as not
            steady.
    """
    samples = [timed(1)]
    chunk = max(1, round(CHUNK_SECONDS / samples[0]))
    spent = 0.0
    while not is_steady(samples) and len(samples) < MOST and spent < seconds:
        samples.append(timed(chunk))
        spent += chunk * samples[-1]
    return WarmUp(tuple(samples), 1 + chunk * (len(samples) - 1), is_steady(samples))

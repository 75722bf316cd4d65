"""The largest batch that a device has room for, by simulation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from runners.memory.cuda_allocator import OutOfMemoryError, replay
from runners.memory.profile import MemoryProfile
from runners.memory.settings import StepSettings, Target
from runners.memory.simulate import simulate
from runners.memory.step import Build

SAFETY_MARGIN = 0.1
"""Share of the device's memory that is left to what the model does not hold: CUDA's context, libraries'
workspaces and fragmentation."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The largest batch that fits.

    Attributes:
        capacity_bytes: Of the device.
        safety_margin: Share of it that is not counted on.
        batch_size: It fits and one more does not; None if not even the smallest that runs does.
        needed_bytes: By that batch: what the allocator reserves (CUDA) or the peak of live tensors (CPU).
    """

    capacity_bytes: int
    safety_margin: float
    batch_size: int | None
    needed_bytes: int | None


def largest_batch(
    build: Build,
    settings: StepSettings,
    capacity_bytes: int,
    *,
    target: Target = "cuda",
    safety_margin: float = SAFETY_MARGIN,
) -> Fit:
    """Find it between a batch that fits and the next, which does not.

    The batch of the settings is where the search begins. Memory is close to affine in the batch, so that
    a straight line through two simulations lands near the answer; the answer itself is always simulated.

    Raises:
        ValueError: The margin is not in [0, 1), the capacity not positive, or the step cannot be simulated.
    """
    if not 0 <= safety_margin < 1:
        raise ValueError(f"safety margin {safety_margin}: expected 0 or more and less than 1")
    if capacity_bytes < 1:
        raise ValueError(f"capacity of {capacity_bytes} bytes: expected 1 or more")
    usable = int(capacity_bytes * (1 - safety_margin))

    @cache
    def profile(batch: int) -> MemoryProfile:
        shape = (batch, *settings.input_shape[1:])
        labels = settings.target_shape
        labels = None if labels is None else (batch, *labels[1:])
        return simulate(build, replace(settings, input_shape=shape, target_shape=labels), target=target)

    asked = settings.input_shape[0]

    def runs(batch: int) -> bool:
        """Whether a batch smaller than the one asked about runs: BatchNorm trains on no single value."""
        try:
            profile(batch)
        except ValueError:
            if batch >= asked:
                raise
            return False
        return True

    @cache
    def fits(batch: int) -> bool:
        return not runs(batch) or _fits(profile(batch), usable)

    batch = _search(fits, _guess(profile, asked, usable))
    if batch is None or not runs(batch):
        return Fit(capacity_bytes, safety_margin, None, None)
    needed = (
        profile(batch).peak_bytes if target == "cpu" else replay(profile(batch), usable).reserved_peak_bytes
    )
    return Fit(capacity_bytes, safety_margin, batch, needed)


def _fits(profile: MemoryProfile, usable: int) -> bool:
    if profile.target == "cpu":
        return profile.peak_bytes <= usable
    try:
        replay(profile, usable)
    except OutOfMemoryError:
        return False
    return True


def _guess(profile: Callable[[int], MemoryProfile], batch: int, usable: int) -> int:
    """Where the line through the needs of a batch and of its double crosses what is usable."""
    low, high = (_need(profile(n)) for n in (batch, 2 * batch))
    slope = max(1.0, (high - low) / batch)
    return max(1, int(batch + (usable - low) / slope))


def _need(profile: MemoryProfile) -> int:
    return profile.peak_bytes if profile.reserved_bytes is None else profile.reserved_bytes


def _search(fits: Callable[[int], bool], guess: int) -> int | None:
    """From the guess outwards in growing steps to a batch that fits and one that does not, then halve."""
    step = max(1, guess // 64)
    if fits(guess):
        low, high = guess, guess + step
        while fits(high):
            step *= 2
            low, high = high, high + step
    else:
        low, high = guess - step, guess
        while low >= 1 and not fits(low):
            step *= 2
            low, high = low - step, low
        low = max(low, 0)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low or None

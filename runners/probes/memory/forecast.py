"""What a memory trial takes."""

from runners.probes.memory.settings import MemorySettings


def estimate_seconds(settings: MemorySettings, macs: list[int], rate: float) -> float:
    """Simulation costs the same at any size; measuring computes the step three times."""
    # An arm and the baseline beside it, and some ten steps in search of the largest batch of a card.
    passes = len(settings.modes) * len(settings.simulate) * (2 + 10 * len(settings.cards))
    total = 0.3 + 0.2 * passes * len(macs)
    if settings.measure:
        total += sum(1 + 3 * 4 * settings.batch_size * count * 2.5 / rate for count in macs)
    return total

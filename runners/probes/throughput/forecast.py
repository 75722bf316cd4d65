"""What a throughput trial takes."""

from runners.probes.throughput.settings import FEWEST_ROUNDS, ThroughputSettings


def estimate_seconds(settings: ThroughputSettings, macs: list[int], rate: float) -> float:
    """Building, warm-up and rounds of all arms."""
    total = 0.5
    for count in macs:
        total += 0.2
        for mode in settings.modes:
            step = 0.002 + settings.batch_size * count * (3 if mode == "train" else 1) * 2.5 / rate
            total += 5 * step + max(settings.arm_seconds, min(FEWEST_ROUNDS, settings.rounds) * step)
            total += 30.0 * settings.compile
    return total

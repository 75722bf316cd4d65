"""What a complexity trial takes."""

from runners.workload_settings import WorkloadSettings


def estimate_seconds(_: WorkloadSettings, macs: list[int], rate: float) -> float:
    """Building the network dominates; the passes add two images."""
    return sum(0.4 + 6 * 3 * count / rate for count in macs)

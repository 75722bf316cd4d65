"""What a complexity trial takes."""

from runners.workload_settings import WorkloadSettings

MOST_MACS = 50 * 10**9
"""Of an image: what takes more is described and not computed, which would take minutes on a core."""


def estimate_seconds(_: WorkloadSettings, macs: list[int], rate: float) -> float:
    """Building the network dominates; the passes add two images."""
    return sum(0.4 + (6 * 3 * count / rate if count <= MOST_MACS else 0.0) for count in macs)

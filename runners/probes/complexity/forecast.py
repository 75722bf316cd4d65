"""What a complexity trial takes."""

from runners.workload_settings import WorkloadSettings

MOST_MACS = 50 * 10**9
"""Of an image: what takes more is described and not computed, which would take minutes on a core."""

_DESCRIBING_SECONDS = 4.0


def estimate_seconds(_: WorkloadSettings, macs: list[int], rate: float) -> float:
    """Building the network dominates; the passes add two images, or a description the time for one."""
    return sum(0.4 + (6 * 3 * count / rate if count <= MOST_MACS else _DESCRIBING_SECONDS) for count in macs)

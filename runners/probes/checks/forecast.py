"""What the checks take."""

from collections.abc import Sequence

from runners.workload_settings import WorkloadSettings

_MACS = 160e9
"""What their own networks come to."""


def estimate_seconds(_: WorkloadSettings, __: Sequence[int], rate: float) -> float:
    """Whatever the arms are: checks bring their own networks."""
    return _MACS / rate

"""What a step needs in memory: simulated for any device, and measured by the allocator of the one at hand."""

from runners.probes import Probe, Result
from runners.probes.memory.forecast import estimate_seconds
from runners.probes.memory.metrics import METRICS
from runners.probes.memory.settings import MemorySettings
from runners.trial import Trial


def run(trial: Trial) -> Result:
    """Simulate and measure the trial's arm in each mode."""
    from runners.probes.memory import measure

    return measure.run(trial)


PROBE = Probe(
    kind="memory",
    summary="peak of live tensors, simulated for any device and measured by the allocator at hand",
    settings=MemorySettings,
    metrics=METRICS,
    block_unit="exact",
    wave=0,
    control=False,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
)

"""Time per step of all arms, interleaved in rounds within one process, over several fresh processes.

A slow second of the machine hits the arms of one round alike, so that it falls out of their ratio; what
a process is born with (addresses, caches) differs between processes, so that n counts these.
"""

from runners.probes import Probe, Result
from runners.probes.throughput.forecast import estimate_seconds
from runners.probes.throughput.metrics import METRICS
from runners.probes.throughput.settings import ThroughputSettings
from runners.trial import Trial


def run(trial: Trial) -> Result:
    """Time every arm of the trial in every mode; an arm that fails leaves the others' samples as they are."""
    from runners.probes.throughput import process

    return process.run(trial)


PROBE = Probe(
    kind="throughput",
    summary="time per training step and inference, all arms interleaved, in fresh processes",
    settings=ThroughputSettings,
    metrics=METRICS,
    block_unit="process",
    wave=1,
    control=True,
    timed=True,
    run=run,
    estimate_seconds=estimate_seconds,
)

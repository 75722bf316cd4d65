"""Real training on real images: seeds paired across arms, curves kept, the test set used once, at the end."""

from runners.probes import Probe, Result
from runners.probes.convergence.forecast import estimate_seconds
from runners.probes.convergence.metrics import METRICS
from runners.probes.convergence.settings import ConvergenceSettings
from runners.trial import Trial


def run(trial: Trial) -> Result:
    """Train the trial's arm once."""
    from runners.probes.convergence import train

    return train.run(trial)


PROBE = Probe(
    kind="convergence",
    summary="training from scratch on real images, seeds paired across arms",
    settings=ConvergenceSettings,
    metrics=METRICS,
    block_unit="seed",
    wave=2,
    control=True,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
)

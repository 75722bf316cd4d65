"""Parameters, MACs and activations of each arm, and whether the input makes a factor inert."""

from runners.probes import Probe, Result
from runners.probes.complexity.forecast import estimate_seconds
from runners.probes.complexity.metrics import METRICS
from runners.probes.complexity.settings import ComplexitySettings
from runners.trial import Trial


def run(trial: Trial) -> Result:
    """Observe one forward pass of the trial's arm."""
    from runners.probes.complexity import observe

    return observe.run(trial)


PROBE = Probe(
    kind="complexity",
    summary="parameters, MACs and activations, observed; runs by itself in every context of a study",
    settings=ComplexitySettings,
    metrics=METRICS,
    block_unit="exact",
    wave=0,
    control=False,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
)

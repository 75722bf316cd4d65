"""What operators do: the checks of claims about semantics, once a study, by no arm in particular."""

from runners.claims import files
from runners.probes import Probe, Result
from runners.probes.checks.forecast import estimate_seconds
from runners.probes.checks.metrics import METRICS
from runners.probes.checks.settings import ChecksSettings
from runners.trial import Trial


def run(trial: Trial) -> Result:
    """Exercise the operators."""
    from runners.probes.checks import look

    return look.run(trial)


PROBE = Probe(
    kind="checks",
    summary="what operators do, by exercising them: claims about semantics (`ablate list claims`)",
    settings=ChecksSettings,
    metrics=METRICS,
    block_unit="exact",
    wave=0,
    control=False,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
    of_baseline=True,
    runs_through=files,
)

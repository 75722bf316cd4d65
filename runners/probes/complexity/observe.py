"""One forward pass of each arm, observed."""

import ablations
from ablations import execution
from results.records.record import Measurement
from runners.operator_counts import complexity, description, fingerprint
from runners.outcomes import Findings, each_arm, in_channels, make_variant
from runners.probes import Result
from runners.probes.complexity.forecast import MOST_MACS
from runners.probes.complexity.metrics import METRICS
from runners.trial import Trial, TrialArm


def run(trial: Trial) -> Result:
    """Observe one forward pass of the trial's arm."""
    return Result(each_arm(trial, _observe))


def _observe(trial: Trial, arm: TrialArm) -> Findings:
    variant, size = make_variant(arm), trial.workload.input_size
    channels = in_channels(variant)
    described = ablations.build(variant, device="meta")
    found = complexity(described, size, channels)
    if found.macs <= MOST_MACS:
        # Weights of one fixed seed, so that arms with the same function have the same outputs.
        print_ = fingerprint(ablations.build(variant, seed=0), size, channels)
    else:
        print_ = description(described, size, channels)
    if running := execution.asked(dict(variant.levels)):
        print_ = f"{print_} {running}"  # the same network, and not inert
    return Findings(
        measurements=tuple(
            Measurement(metric.name, (float(getattr(found, metric.name)),), source="observed", device="any")
            for metric in METRICS
        ),
        details={"fingerprint": print_, "output_shape": list(found.output_shape)},
    )

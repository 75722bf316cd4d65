"""Parameters, MACs and activations of each arm, and whether the input makes a factor inert."""

from functools import partial

import ablations
from results.records.metric import Metric
from results.records.record import Measurement
from runners.operator_counts import complexity, fingerprint
from runners.outcomes import Findings, attempt, in_channels, make_variant
from runners.probes import Probe, Result, WorkloadSettings
from runners.trial import Trial, TrialArm

METRICS = (
    Metric(
        name="parameters",
        label="parameters",
        unit="count",
        better="lower",
        effect_kind="ratio",
        margin=0.01,
        exact=True,
        description="Elements of all parameters.",
    ),
    Metric(
        name="macs",
        label="MACs",
        unit="count",
        better="lower",
        effect_kind="ratio",
        margin=0.01,
        exact=True,
        description="Multiply-accumulates of convolutions and linear layers for one image.",
    ),
    Metric(
        name="macs_with_norm",
        label="MACs with normalisation",
        unit="count",
        better="lower",
        effect_kind="ratio",
        margin=0.01,
        exact=True,
        description="MACs, with 2 operations per element of a BatchNorm and 5 of a GroupNorm (fvcore, timm).",
    ),
    Metric(
        name="activations",
        label="activations",
        unit="count",
        better="lower",
        effect_kind="ratio",
        margin=0.01,
        exact=True,
        description="Elements put out by convolutions and linear layers for one image (timm's Macts).",
    ),
)


def _measure(trial: Trial, arm: TrialArm) -> Findings:
    variant, size = make_variant(arm), trial.workload.input_size
    channels = in_channels(variant)
    found = complexity(ablations.build(variant, device="meta"), size, channels)
    # Weights of one fixed seed, so that arms with the same function have the same outputs.
    print_ = fingerprint(ablations.build(variant, seed=0), size, channels)
    return Findings(
        measurements=tuple(
            Measurement(metric.name, (float(getattr(found, metric.name)),), source="observed", device="any")
            for metric in METRICS
        ),
        details={"fingerprint": print_, "output_shape": list(found.output_shape)},
    )


def run(trial: Trial) -> Result:
    """Observe one forward pass of the trial's arm."""
    return Result(tuple(attempt(arm, partial(_measure, trial, arm)) for arm in trial.arms))


def estimate_seconds(_: WorkloadSettings, macs: list[int], rate: float) -> float:
    """Building the network dominates; the passes add two images."""
    return sum(0.4 + 6 * 3 * count / rate for count in macs)


PROBE = Probe(
    kind="complexity",
    summary="parameters, MACs and activations, observed; runs by itself in every context of a study",
    settings=WorkloadSettings,
    metrics=METRICS,
    block_unit="exact",
    wave=0,
    control=False,
    timed=False,
    run=run,
    estimate_seconds=estimate_seconds,
)

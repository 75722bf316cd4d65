"""A metric of your own: a probe says what a workload of its kind has for keys, and measures an arm."""

from pydantic import Field

import ablations
from results.records.metric import Metric
from results.records.record import Measurement
from runners.outcomes import Findings, each_arm, make_variant
from runners.probes import Probe, Result, WorkloadSettings
from runners.trial import Trial, TrialArm


class LayersSettings(WorkloadSettings):
    """Keys of a workload of kind layers."""

    at_least: int = Field(1, ge=1, description="parameters that a layer has to have to count")


LAYERS = Metric(
    name="layer_count",
    label="layers",
    unit="count",
    better="lower",
    effect_kind="ratio",
    margin=0.1,
    description="Modules with parameters of their own.",
    exact=True,  # one trial decides it
)


def _count(trial: Trial, arm: TrialArm) -> Findings:
    settings = LayersSettings.model_validate(trial.workload.settings)
    network = ablations.build(make_variant(arm), device="meta")
    sizes = [sum(p.numel() for p in module.parameters(recurse=False)) for module in network.modules()]
    found = sum(size >= settings.at_least for size in sizes)
    return Findings((Measurement(LAYERS.name, (float(found),), "observed", "any"),))


PROBE = Probe(
    kind="layers",
    summary="how many layers there are",
    settings=LayersSettings,
    metrics=(LAYERS,),
    block_unit="exact",
    wave=0,
    control=False,
    timed=False,
    run=lambda trial: Result(each_arm(trial, _count)),
    estimate_seconds=lambda _settings, _macs, _rate: 0.1,
)

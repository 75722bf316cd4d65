"""How many images an arm is given a step, and how much work one of them is."""

import ablations
from runners.memory.fit import largest_batch
from runners.memory.settings import StepSettings, Target
from runners.memory.sizes import parse_size
from runners.operator_counts import complexity
from runners.outcomes import NotApplicable, builder, in_channels, make_variant
from runners.probes.throughput.settings import ThroughputSettings
from runners.trial import Trial, TrialArm


def macs_of(trial: Trial, arm: TrialArm) -> int:
    """MACs of one image; 0 for a network that cannot be observed without data, whose trial says why."""
    variant = make_variant(arm)
    try:
        network = ablations.build(variant, device="meta")
        return complexity(network, trial.workload.input_size, in_channels(variant)).macs
    except ValueError:
        return 0


def batch_size_of(trial: Trial, settings: ThroughputSettings, arm: TrialArm) -> int:
    """The workload's batch, or the largest that the card has room for in all of its modes.

    Raises:
        NotApplicable: The card has no room for a single image.
    """
    if settings.card is None:
        return settings.batch_size
    variant, size = make_variant(arm), trial.workload.input_size
    target: Target = "cuda" if trial.device.startswith("cuda") else "cpu"
    found = [
        largest_batch(
            builder(variant),
            StepSettings(
                # Where the search begins: a batch of 1 cannot be trained where BatchNorm sees 1x1 maps.
                (settings.batch_size, in_channels(variant), size, size),
                mode=mode,
                **settings.how,
            ).of(dict(variant.levels)),
            parse_size(settings.card),
            target=target,
        ).batch_size
        for mode in settings.modes
    ]
    if any(batch is None for batch in found):
        raise NotApplicable(f"a card of {settings.card} has no room for one image")
    return min(batch for batch in found if batch is not None)

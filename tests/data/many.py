"""A probe that measures nothing: figures by formula, for runs of as many trials as one likes."""

import hashlib
import math
from typing import Annotated

from torch import nn

from ablations import Examples, Range, architecture
from results.records.metric import Metric
from results.records.record import Curve, Measurement
from runners.outcomes import Findings, each_arm
from runners.probes import Probe, Result, WorkloadSettings
from runners.trial import Trial, TrialArm

POINTS = 10
"""Of a curve."""


@architecture
def many(*, choice: Annotated[int, Range(0, 4000), Examples(0, 1)] = 0) -> nn.Module:
    """A network that nobody runs.

    Args:
        choice: One of many that change nothing.
    """
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))


class ManySettings(WorkloadSettings):
    """Keys of a workload of kind many."""

    image_size: int = 8
    blocks: int = 6

    @property
    def replicates(self) -> int:
        return self.blocks

    @property
    def paired(self) -> bool:
        return False


def _figures(trial: Trial, arm: TrialArm) -> Findings:
    """Two shares and a curve, as a training leaves them; each arm is as good as another."""
    digest = hashlib.sha256(f"{trial.seed}/{trial.block}/{arm.complete_variant}".encode()).digest()
    luck = int.from_bytes(digest[:4], "big") / 2**32 - 0.5
    score = 0.8 + 0.02 * luck
    shares = tuple(
        Measurement(f"many_{split}", (score,), "observed", "cpu", split=split)
        for split in ("validation", "test")
    )
    steps = tuple(range(10, 10 * POINTS + 1, 10))
    curve = Curve(
        "many_validation", "validation", steps, tuple(score * (1 - math.exp(-s / 30)) for s in steps)
    )
    return Findings(shares, (curve,))


def _metric(split: str) -> Metric:
    text = f"Share right of {split} images, by formula."
    return Metric(
        f"many_{split}", f"{split} share", "fraction", "higher", "difference", 0.01, text, headline=True
    )


PROBE = Probe(
    kind="many",
    summary="figures by formula",
    settings=ManySettings,
    metrics=(_metric("validation"), _metric("test")),
    block_unit="seed",
    wave=0,
    control=True,
    timed=False,
    run=lambda trial: Result(each_arm(trial, _figures)),
    estimate_seconds=lambda settings, macs, rate: 0.01,
)

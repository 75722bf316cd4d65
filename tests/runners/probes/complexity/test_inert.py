"""Whether a factor does anything at the input at hand."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from runners.operator_counts import description, fingerprint
from runners.probes.complexity import observe
from runners.trial import TrialArm
from tests.runners.test_sources import trial


class Noisy(nn.Module):
    """Does nothing in evaluation; in training, drops entries."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(share)

    def forward(self, image: Tensor) -> Tensor:
        dropped: Tensor = self.drop(image)
        return dropped.mean(dim=(1, 2, 3)).unsqueeze(1)


def test_what_acts_in_training_alone_is_not_inert() -> None:
    assert fingerprint(Noisy(0.5), 8) != fingerprint(Noisy(0.1), 8)
    assert fingerprint(Noisy(0.5), 8) == fingerprint(Noisy(0.5), 8)
    assert description(Noisy(0.5).to("meta"), 8) != description(Noisy(0.1).to("meta"), 8)


def test_what_would_take_minutes_to_compute_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "MOST_MACS", 0)
    monkeypatch.setattr(observe, "fingerprint", None)  # never called
    one = trial("complexity", image_size=33)
    arms = [
        TrialArm(levels, f"resnet:{levels}", f"resnet:depth=18,width=4,{levels}")
        for levels in ("output_stride=32", "first_dilation=previous", "output_stride=16")
    ]
    plain, inert, other = (
        outcome.details["fingerprint"] for outcome in observe.run(replace(one, arms=tuple(arms))).outcomes
    )
    assert plain == inert != other


def test_looking_leaves_the_random_state_alone() -> None:
    before = torch.get_rng_state()
    fingerprint(Noisy(0.5), 8)
    description(Noisy(0.5).to("meta"), 8)
    assert torch.equal(torch.get_rng_state(), before)

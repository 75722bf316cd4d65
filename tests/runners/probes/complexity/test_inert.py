"""Whether a factor does anything at the input at hand."""

import torch
from torch import Tensor, nn

from runners.operator_counts import fingerprint


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


def test_looking_leaves_the_random_state_alone() -> None:
    before = torch.get_rng_state()
    fingerprint(Noisy(0.5), 8)
    assert torch.equal(torch.get_rng_state(), before)

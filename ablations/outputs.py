"""What a network gives beside logits."""

from typing import NamedTuple

from torch import Tensor


class Auxiliary(NamedTuple):
    """Logits with those of an auxiliary head, which networks that have one give while they train.

    Attributes:
        logits: (N, classes) of an image, or (N, classes, H, W) of its pixels.
        auxiliary: Of the auxiliary head, in the same shape.
        weight: Of its loss beside that of the logits.
    """

    logits: Tensor
    auxiliary: Tensor
    weight: float

"""The loss of a training step: of images or of their pixels, with an auxiliary head or without."""

from torch import Tensor, nn
from torch.nn import functional

from ablations.outputs import Auxiliary
from runners.datasets import IGNORED


def logits_of(output: "Tensor | Auxiliary") -> Tensor:
    """What a network's output says of the classes."""
    return output.logits if isinstance(output, Auxiliary) else output


def labels_shape(network: nn.Module, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """One label an image, or one a pixel where the network says that it is `per_pixel`.

    Args:
        network: Whether it labels pixels.
        input_shape: (N, C, H, W).
    """
    return (input_shape[0], *input_shape[2:]) if getattr(network, "per_pixel", False) else input_shape[:1]


def cross_entropy(output: "Tensor | Auxiliary", labels: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy in nats, that of an auxiliary head added by its weight.

    Args:
        output: Logits (N, classes), of pixels (N, classes, H, W), or both heads'.
        labels: (N,), or (N, H, W), of which pixels labelled `IGNORED` do not count; int64.
        label_smoothing: Share of each label that goes to all classes.
    """
    if isinstance(output, Auxiliary):
        own, other = (
            cross_entropy(logits, labels, label_smoothing=label_smoothing)
            for logits in (output.logits, output.auxiliary)
        )
        return own + output.weight * other
    if labels.dim() == 1:
        return functional.cross_entropy(output, labels, label_smoothing=label_smoothing)
    return functional.cross_entropy(output, labels, ignore_index=IGNORED, label_smoothing=label_smoothing)

"""The course of one training: losses step by step, evaluations epoch by epoch."""

import math

import torch
from torch import nn

from runners.images import Images
from runners.outcomes import Diverged

_EVALUATION_BATCH = 500


class Course:
    """What is noted on the way.

    Attributes:
        losses: Of each step.
        steps: Steps taken at the end of each epoch.
        accuracies: On the validation images, at the end of each epoch.
        validation_losses: Likewise.
        train_losses: Mean of the losses of each epoch.
    """

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.steps: list[int] = []
        self.accuracies: list[float] = []
        self.validation_losses: list[float] = []
        self.train_losses: list[float] = []

    def close_epoch(self, step: int, network: nn.Module, validation: Images, device: str) -> None:
        """Evaluate on the validation images, and average the losses since the last time.

        Raises:
            Diverged: The validation loss is not finite.
        """
        accuracy, loss = evaluate(network, validation, device)
        if not math.isfinite(loss):
            raise Diverged(f"the validation loss was {loss} after step {step}")
        since = self.steps[-1] if self.steps else 0
        self.steps.append(step)
        self.accuracies.append(accuracy)
        self.validation_losses.append(loss)
        self.train_losses.append(math.fsum(self.losses[since:step]) / (step - since))


@torch.no_grad()
def evaluate(network: nn.Module, images: Images, device: str) -> tuple[float, float]:
    """Accuracy and mean cross-entropy in evaluation."""
    network.eval()
    right, loss = 0, 0.0
    for start in range(0, len(images), _EVALUATION_BATCH):
        inputs, labels = images.batch(slice(start, start + _EVALUATION_BATCH), device)
        logits = network(inputs)
        right += int((logits.argmax(1) == labels).sum())
        loss += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    return right / len(images), loss / len(images)

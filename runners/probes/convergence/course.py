"""The course of one training: losses step by step, evaluations as often as the recipe says."""

import math
from dataclasses import dataclass, field

import torch
from torch import nn

from results.records.record import OutcomeDetails
from runners.images import Images
from runners.outcomes import Diverged
from runners.probes.convergence.inside import Seen, layer_curves

_EVALUATION_BATCH = 500


@dataclass(frozen=True, slots=True)
class Scores:
    """What a network makes of images in evaluation.

    Attributes:
        accuracy: Share that is labelled rightly.
        true_class_probability: Mean probability that the softmax gives the true class.
        cross_entropy: Mean, in nats.
    """

    accuracy: float
    true_class_probability: float
    cross_entropy: float


@dataclass(slots=True)
class Course:
    """What is noted on the way.

    Attributes:
        losses: Of each step.
        steps: Steps taken at each evaluation.
        evaluations: On the validation images.
        train_losses: Mean of the losses since the evaluation before.
        inside: What looks inside the network found.
    """

    losses: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    evaluations: list[Scores] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    inside: Seen = field(default_factory=Seen)

    @property
    def details(self) -> OutcomeDetails:
        """What is no metric and no curve, as a record holds it; of a training that diverged, too."""
        return {"inside": layer_curves(self.inside.notes)} if self.inside.notes else {}

    def note(self, step: int, scores: Scores) -> None:
        """Take in an evaluation, and average the losses since the last one.

        Raises:
            Diverged: The validation loss is not finite.
        """
        if not math.isfinite(scores.cross_entropy):
            raise Diverged(f"the validation loss was {scores.cross_entropy} after step {step}", self.details)
        since = self.steps[-1] if self.steps else 0
        self.steps.append(step)
        self.evaluations.append(scores)
        self.train_losses.append(math.fsum(self.losses[since:step]) / (step - since))


@torch.no_grad()
def evaluate(network: nn.Module, images: Images, device: str, memory_format: torch.memory_format) -> Scores:
    """Score a network, which is left in evaluation."""
    network.eval()
    right, probability, loss = 0, 0.0, 0.0
    for start in range(0, len(images), _EVALUATION_BATCH):
        inputs, labels = images.batch(slice(start, start + _EVALUATION_BATCH), device)
        logits = network(inputs.contiguous(memory_format=memory_format)).float()
        right += int((logits.argmax(1) == labels).sum())
        logs = nn.functional.log_softmax(logits, dim=1).gather(1, labels[:, None]).double()
        probability += logs.exp().sum().item()
        loss -= logs.sum().item()
    return Scores(right / len(images), probability / len(images), loss / len(images))

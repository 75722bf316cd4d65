"""The course of one training: losses step by step, evaluations as often as the recipe says."""

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from results.records.record import OutcomeDetails
from runners.datasets import IGNORED
from runners.images import Images
from runners.outcomes import Diverged
from runners.probes.convergence.inside import Seen, layer_curves
from runners.running import Running

_EVALUATION_BATCH = 500
_EVALUATION_PIXELS = 2**20


@dataclass(frozen=True, slots=True)
class Scores:
    """What a network makes of images in evaluation.

    Attributes:
        accuracy: Share that is labelled rightly.
        true_class_probability: Mean probability that the softmax gives the true class.
        cross_entropy: Mean, in nats.
        mean_iou: Intersection over union, the mean over those classes that are there; NaN unless it was
            pixels that were labelled. The other figures are of the pixels then.
        foreground_iou: That of all classes but the first, which is what is behind them.
    """

    accuracy: float
    true_class_probability: float
    cross_entropy: float
    mean_iou: float = math.nan
    foreground_iou: float = math.nan

    @property
    def of_pixels(self) -> bool:
        """Whether each pixel had a label."""
        return not math.isnan(self.mean_iou)


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
def evaluate(network: nn.Module, images: Images, running: Running) -> Scores:
    """Score a network, which is left in evaluation."""
    network.eval()
    probability, loss, confusion = 0.0, 0.0, torch.zeros(0, 0, dtype=torch.int64)
    of_pixels = images.labels.dim() > 1
    size = max(1, _EVALUATION_PIXELS // images.preparation.size**2) if of_pixels else _EVALUATION_BATCH
    for start in range(0, len(images), size):
        inputs, labels = images.batch(slice(start, start + size), running.device)
        with running.context():
            logits = network(running.images(inputs)).float()
        counts = labels != IGNORED if of_pixels else torch.ones_like(labels, dtype=torch.bool)
        logs = nn.functional.log_softmax(logits, dim=1)
        logs = logs.gather(1, labels.where(counts, 0)[:, None])[:, 0][counts].double()
        probability += logs.exp().sum().item()
        loss -= logs.sum().item()
        classes = logits.shape[1]
        pairs = classes * labels[counts] + logits.argmax(1)[counts]
        found = torch.bincount(pairs, minlength=classes**2).reshape(classes, classes).cpu()
        confusion = found if start == 0 else confusion + found
    total = int(confusion.sum())
    scores = Scores(int(confusion.trace()) / total, probability / total, loss / total)
    return replace(scores, **intersection_over_union(confusion)) if of_pixels else scores


def intersection_over_union(confusion: Tensor) -> dict[str, float]:
    """`mean_iou` and `foreground_iou`, of the classes that are there or were seen.

    Args:
        confusion: Pixels by true class and by class that was given (classes, classes).
    """
    right = confusion.diagonal().double()
    union = confusion.sum(0) + confusion.sum(1) - right
    ious = right / union  # NaN for a class that nobody saw
    return {"mean_iou": ious.nanmean().item(), "foreground_iou": ious[1:].nanmean().item()}

"""The recipe: which images are trained on, in what batches, by which steps, at what learning rate."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from runners.images import Images, stratified_split
from runners.probes.convergence.evaluation import VALIDATION_FRACTION
from runners.probes.convergence.settings import ConvergenceSettings


def split(development: Images, settings: ConvergenceSettings, seed: int) -> tuple[Images, Images]:
    """Training and validation images, drawn class by class where an image has one.

    Raises:
        ValueError: The validation images asked for would leave none to train on.
    """
    generator = torch.Generator().manual_seed(seed)
    fraction = VALIDATION_FRACTION
    if settings.validation_images is not None:
        fraction = settings.validation_images / len(development)
        if fraction >= 1:
            raise ValueError(
                f"validation_images = {settings.validation_images}: expected fewer than the"
                f" {len(development)} images that are not for testing"
            )
    labels = development.labels
    if labels.dim() > 1:  # of pixels: images of one kind
        labels = torch.zeros(len(development))
    train, validation = stratified_split(labels, fraction, generator)
    if settings.train_images is not None and settings.train_images < len(train):
        chosen = torch.randperm(len(train), generator=generator)[: settings.train_images]
        train = train[chosen.sort().values]
    return development.take(train), development.take(validation)


def batches(count: int, settings: ConvergenceSettings, order: torch.Generator) -> Iterator[Tensor]:
    """Positions of each step's images; the incomplete batch at an epoch's end is left out."""
    size = min(settings.batch_size, count)
    for _ in range(settings.epochs):
        permutation = torch.randperm(count, generator=order)
        for start in range(0, count - size + 1, size):
            yield permutation[start : start + size]


def evaluation_steps(total: int, settings: ConvergenceSettings) -> frozenset[int]:
    """Steps after which the validation images are looked at: evenly spaced, the last one among them."""
    count = min(total, settings.evaluations or settings.epochs)
    return frozenset(round(total * (place + 1) / count) for place in range(count))


def make_optimizer(network: nn.Module, settings: ConvergenceSettings) -> torch.optim.Optimizer:
    """The optimizer, in its fused form: one pass over each parameter."""
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
    return torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=settings.nesterov,
        fused=True,
    )


def schedule(step: int, total: int, settings: ConvergenceSettings) -> float:
    """Share of the peak learning rate at a step, 1 first: a linear rise, then as the recipe has it.

    The cosine is that of Loshchilov & Hutter (2016).
    """
    warmup = max(1, int(settings.warmup * total)) if settings.warmup > 0 else 0
    if step <= warmup:
        return step / warmup
    gone = (step - warmup) / max(1, total - warmup)
    match settings.schedule:
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * gone))
        case "linear":
            return 1 - gone
        case "constant":
            return 1.0

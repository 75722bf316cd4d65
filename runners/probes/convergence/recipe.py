"""The recipe: which images are trained on, in what batches, at what learning rate."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from runners.images import Images, stratified_split
from runners.probes.convergence.settings import ConvergenceSettings

VALIDATION_FRACTION = 0.2


def split(development: Images, settings: ConvergenceSettings, seed: int) -> tuple[Images, Images]:
    """Training and validation images, drawn class by class."""
    generator = torch.Generator().manual_seed(seed)
    train, validation = stratified_split(development.labels, VALIDATION_FRACTION, generator)
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


def schedule(step: int, total: int) -> float:
    """Linear warm-up over the first tenth, then a cosine to 0 (Loshchilov & Hutter 2016)."""
    warmup = max(1, total // 10)
    if step <= warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))

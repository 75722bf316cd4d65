"""Images to train on, and what is done to them before."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Images:
    """Images (N, C, H, W) as float32, standardised; labels (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> "Images":
        """The images at these positions, in their order."""
        return Images(self.images[indices], self.labels[indices])


def resize(images: Tensor, size: int) -> Tensor:
    """(N, C, h, w) to (N, C, size, size), bilinear, antialiased where it shrinks."""
    if images.shape[-1] == size:
        return images
    return torch.nn.functional.interpolate(
        images, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )


def standardize(development: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the development images' mean and deviation per channel taken out."""
    mean = development.mean(dim=(0, 2, 3), keepdim=True)
    deviation = development.std(dim=(0, 2, 3), keepdim=True)
    return (development - mean) / deviation, (test - mean) / deviation


def stratified_split(labels: Tensor, fraction: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Positions of the rest and of a random `fraction` of each class, rounded; both in ascending order."""
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in torch.unique(labels):
        positions = torch.nonzero(labels == label).squeeze(1)
        order = torch.randperm(len(positions), generator=generator)
        chosen[positions[order[: round(fraction * len(positions))]]] = True
    return torch.nonzero(~chosen).squeeze(1), torch.nonzero(chosen).squeeze(1)

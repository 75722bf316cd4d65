"""Images to train on: kept as they were decoded, prepared batch by batch."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from runners.residence import resident

_CHUNK = 2**18
"""Pixels of which moments are taken at a time: what stays in a core's cache."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is done to images on their way into a batch.

    Attributes:
        size: Height and width that they are resized to.
        scale: By channel, what a resized value is multiplied with; (1, C, 1, 1) float32.
        offset: And what is added to it then, so that development images have mean 0 and deviation 1.
    """

    size: int
    scale: Tensor
    offset: Tensor

    def __call__(self, raw: Tensor) -> Tensor:
        """Raw images (n, C, h, w) to standardised ones (n, C, size, size), float32, on the same device.

        One image gives the same bits whatever others are beside it: multiplying and adding are kernels of
        their own, since one for both may round once in its vectorised part and twice in the rest.
        """
        scale, offset = self.scale.to(raw.device), self.offset.to(raw.device)
        return resize(raw.float(), self.size).mul(scale).add_(offset)


@dataclass(frozen=True, slots=True)
class Images:
    """Labelled images.

    Attributes:
        pixels: All images that these were taken of (N, C, h, w), as they were decoded, most often uint8.
        labels: Of these images (n,), int64, or of their pixels (n, h, w), uint8.
        preparation: What a batch of them goes through.
        rows: Where these images are among `pixels` (n,), int64; None if they are all of them.
    """

    pixels: Tensor
    labels: Tensor
    preparation: Preparation
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, positions: Tensor) -> "Images":
        """The images at these positions, in their order; no pixel is copied."""
        rows = positions if self.rows is None else self.rows[positions]
        return replace(self, labels=self.labels[positions], rows=rows)

    def batch(self, positions: Tensor | slice, device: str | torch.device = "cpu") -> tuple[Tensor, Tensor]:
        """Prepared images (n, C, size, size), float32, and their labels, int64, on a device.

        Labels are (n,), or (n, size, size) where each pixel has one: that of the nearest pixel. Raw pixels
        cross to the device, once for all where they fit, and are resized and standardised there.
        """
        device = torch.device(device)
        pixels = resident(self.pixels, device)
        rows = positions if self.rows is None else self.rows[positions]
        raw = pixels[rows] if isinstance(rows, slice) else pixels.index_select(0, rows.to(pixels.device))
        labels = self.labels[positions].to(device)
        return self.preparation(raw.to(device)), resized_labels(labels, self.preparation.size).long()


def standardized(
    development: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], size: int
) -> tuple[Images, Images]:
    """Raw images and labels of both parts, as they go into batches.

    Args:
        development: Images (N, C, h, w), as they were decoded, and labels (N,) or, of pixels, (N, h, w).
            Their own mean and deviation per channel, taken before they are resized, standardise both parts.
        test: Likewise.
        size: Height and width that images are resized to.
    """
    preparation = standardizing(*moments(development[0]), size)
    parts = (
        Images(pixels, labels.long() if labels.dim() == 1 else labels, preparation)
        for pixels, labels in (development, test)
    )
    return next(parts), next(parts)


def standardizing(mean: Tensor, deviation: Tensor, size: int) -> Preparation:
    """The preparation that takes out a mean and a deviation per channel (C,), in units of the pixels."""
    mean, deviation = mean.double(), deviation.double()
    # A channel without contrast is not divided by the 0, or the rounding error, that its deviation is.
    deviation = torch.where(deviation > 1e-6 * mean.abs(), deviation, 1.0)
    scale, offset = (value.float()[None, :, None, None] for value in (1 / deviation, -mean / deviation))
    return Preparation(size, scale, offset)


def moments(pixels: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and deviation per channel (C,), float64, in units of the pixels; sums of integers are exact.

    Args:
        pixels: Images (N, C, h, w).
        rows: Those of them that count (n,); all by default.
    """
    count, channels, height, width = pixels.shape
    count = count if rows is None else len(rows)
    total, squares = torch.zeros(2, channels, dtype=torch.float64)
    images = max(1, _CHUNK // (channels * height * width))
    for start in range(0, count, images):
        place = slice(start, start + images)
        part = pixels[place if rows is None else rows[place]].double()
        total += part.sum((0, 2, 3))
        squares += part.square_().sum((0, 2, 3))
    mean = total / (count * height * width)
    return mean, (squares / (count * height * width) - mean.square()).clamp_(min=0).sqrt()


def resize(images: Tensor, size: int) -> Tensor:
    """(N, C, h, w) to (N, C, size, size), bilinear, antialiased where it shrinks."""
    if images.shape[-2:] == (size, size):
        return images
    return torch.nn.functional.interpolate(
        images, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )


def resized_labels(labels: Tensor, size: int) -> Tensor:
    """Labels of pixels (N, h, w) to (N, size, size), the nearest pixel's; those of images as they are."""
    if labels.dim() == 1 or labels.shape[-2:] == (size, size):
        return labels
    return torch.nn.functional.interpolate(labels[:, None].float(), size=(size, size), mode="nearest-exact")[
        :, 0
    ]


def stratified_split(labels: Tensor, fraction: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Positions of the rest and of a random `fraction` of each class, rounded; both in ascending order."""
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in torch.unique(labels):
        positions = torch.nonzero(labels == label).squeeze(1)
        order = torch.randperm(len(positions), generator=generator)
        chosen[positions[order[: round(fraction * len(positions))]]] = True
    return torch.nonzero(~chosen).squeeze(1), torch.nonzero(chosen).squeeze(1)

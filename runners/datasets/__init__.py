"""Images to train on, one data set a file; every file here is found by discovery and listed nowhere."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from ablations.factor import nearest
from runners.errors import BadInput


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


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of labelled images whose test set is fixed once and for all.

    Attributes:
        name: As study files and `--dataset` write it.
        summary: What it is and how it is prepared, with its source.
        in_channels: Channels of an image.
        num_classes: Number of labels.
        development_size: Images that are split into training and validation.
        load: Image size in pixels to (development, test).
        unavailable: Why it cannot be loaded here, with what to do; None where it can.
    """

    name: str
    summary: str
    in_channels: int
    num_classes: int
    development_size: int
    load: Callable[[int], tuple[Images, Images]]
    unavailable: Callable[[], str | None]


@cache
def datasets() -> dict[str, Dataset]:
    """Every data set by name."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)
    ]
    found: list[Dataset] = [module.DATASET for module in modules]
    return {dataset.name: dataset for dataset in sorted(found, key=lambda dataset: dataset.name)}


def get(name: str) -> Dataset:
    """Look a data set up.

    Raises:
        BadInput: There is none of that name.
    """
    if name not in datasets():
        raise BadInput(f"no data set {name!r}{nearest(name, datasets())}")
    return datasets()[name]


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

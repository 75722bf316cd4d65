"""Data sets, one a file; every file here is found by discovery and listed nowhere.

A file tells what it holds without PyTorch; `load` imports what it needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runners.registry import Registry

if TYPE_CHECKING:
    from runners.images import Images


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
    load: "Callable[[int], tuple[Images, Images]]"
    unavailable: Callable[[], str | None]


REGISTRY = Registry(__name__, "DATASET", "data set", Dataset, lambda dataset: dataset.name)


def datasets() -> dict[str, Dataset]:
    """Every data set by name."""
    return REGISTRY.all()


def get(name: str) -> Dataset:
    """Look a data set up.

    Raises:
        BadInput: There is none of that name.
    """
    return REGISTRY.get(name)


def source(name: str) -> Path:
    """The file that a data set is written in.

    Raises:
        BadInput: As `get`.
    """
    return REGISTRY.source(name)

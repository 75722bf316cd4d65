"""Data sets, one a file; every file here is found by discovery and listed nowhere.

A file tells what it holds without PyTorch; `load` imports what it needs.
"""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from runners.errors import BadInput, written
from runners.folder import Folder
from runners.registry import Registry

if TYPE_CHECKING:
    from runners.images import Images


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of labelled images whose test set is fixed once and for all.

    Attributes:
        name: As study files and `--dataset` write it.
        summary: What it is, in a line.
        in_channels: Channels of an image.
        num_classes: Number of labels.
        development_size: Images that are split into training and validation.
        load: Image size in pixels to (development, test). What it reads is checked first.
        unavailable: Why it cannot be loaded here, with what to do; None where it can.
        native_size: Height and width of its images in pixels; None where they have no size of their own.
        test_size: Images that are for testing alone; None where that is known once they are loaded.
        license: What it may be used under: a licence's name, or that none is stated.
        source: Who made it, and where.
        checksums: What each of its files holds, unpacked: `sha256:` or `md5:` and hexadecimal digits.
        inspect: Looks at what is read before anything trains; raises BadInput where it is not whole.
        warnings: Lines on what was left out, or is odd about it.
        per_pixel: Whether each pixel has a label, for networks that give one answer a pixel.
    """

    name: str
    summary: str
    in_channels: int
    num_classes: int
    development_size: int
    load: "Callable[[int], tuple[Images, Images]]"
    unavailable: Callable[[], str | None]
    native_size: tuple[int, int] | None = None
    test_size: int | None = None
    license: str = "not stated"
    source: str = ""
    checksums: Mapping[str, str] = field(default_factory=dict)
    inspect: Callable[[], None] = lambda: None
    warnings: tuple[str, ...] = ()
    per_pixel: bool = False

    @property
    def image_shape(self) -> str:
        """`3x32x32`: channels, height and width; `3x?x?` where images have no size of their own."""
        return "x".join(map(str, (self.in_channels, *(self.native_size or "??"))))


IGNORED = 255
"""Label of a pixel that does not count, as in PASCAL VOC's masks; no image has it."""
FOLDER = "folder:"
"""What the name of a folder of images begins with; see `runners.folders`."""

REGISTRY = Registry(__name__, "DATASET", "data set", Dataset, lambda dataset: dataset.name)


def datasets() -> dict[str, Dataset]:
    """Every data set by name."""
    return REGISTRY.all()


def get(name: str) -> Dataset:
    """Look a data set up, or look through the folder of `folder:PATH`.

    Raises:
        BadInput: There is none of that name, or the folder does not hold images by class.
    """
    if is_folder(name):
        found: Dataset = _folders().get(name)
        return found
    # Not Path.is_dir, which fails where a name is too long for a path.
    if name not in REGISTRY.all() and os.path.isdir(name):  # noqa: PTH112
        raise BadInput(f"no data set {written(name)}; did you mean {FOLDER + name!r}?")
    return REGISTRY.get(name)


def source(name: str) -> Path:
    """The file that a data set is written in; of a folder the code that reads it.

    Raises:
        BadInput: As `get`.
    """
    return Path(str(_folders().__file__)) if is_folder(name) else REGISTRY.source(name)


def is_folder(name: str) -> bool:
    """Whether a name is `folder:PATH`, or what such a folder is called once it was looked through."""
    return name.startswith(FOLDER)


def located(name: str, base: Path) -> str:
    """The name under which a data set is known wherever a process works, and by what it holds.

    Args:
        name: As people write it.
        base: What the path of a folder is relative to.

    Raises:
        BadInput: The folder does not hold images by class.
    """
    return str(_folders().located(name, base)) if is_folder(name) else name


def folder(name: str | None) -> Folder | None:
    """What a trial carries of the folder of that name; None for any other data set, or none."""
    if name is None or not is_folder(name):
        return None
    found: Folder = _folders().carried(name)
    return found


def _folders() -> ModuleType:
    """Named, not imported: no trial runs through what it does not use."""
    return importlib.import_module("runners.folders")

"""Data sets by the name `folder:PATH`: one's own images, one sub-folder per class, or with a mask each.

What a folder holds is part of its name from the moment that it is looked through: `folder:pets@3f2a9c01b7d4`.
So another content is another data set, wherever the name stands, and a trial's id needs to know no path.
"""

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runners.datasets import FOLDER, Dataset
from runners.errors import BadInput, written
from runners.folder import Folder
from runners.folders.survey import Survey, survey
from runners.folders.told import summary, warnings
from runners.paths import usable

if TYPE_CHECKING:
    from runners.images import Images

_NAMED = re.compile(r"folder:[A-Za-z0-9_.-]+@[0-9a-f]{12}")

_known: dict[str, Dataset] = {}
_folders: dict[str, Folder] = {}


def located(name: str, base: Path) -> str:
    """Look through the folder of a name as people write it, and say what it is called from now on.

    Args:
        name: `folder:PATH`, or what this returned before.
        base: What a relative path is relative to.

    Raises:
        BadInput: There is no such folder, or it does not hold one sub-folder of images per class.
    """
    if name in _known:
        return name
    if _NAMED.fullmatch(name):
        raise BadInput(f"data set {name}: nobody said where it lies; expected folder:PATH")
    given = name.removeprefix(FOLDER)
    if not given:
        raise BadInput(f"data set {written(name)}: expected folder:PATH, e.g. folder:data/pets")
    # Not Path.expanduser, which fails where nobody has that name.
    path = usable(base / os.path.expanduser(given), "data set")  # noqa: PTH111
    found = survey(path.resolve(), f"data set {written(name)}")
    folder = _folder(found)
    _folders[folder.name] = folder
    _known[folder.name] = _dataset(folder, summary(found), warnings(found))
    return folder.name


def get(name: str) -> Dataset:
    """The data set of a name, of either form; a relative path is one of the working directory.

    Raises:
        BadInput: As `located`.
    """
    return _known[located(name, Path.cwd())]


def carried(name: str) -> Folder:
    """What a trial carries of it.

    Raises:
        BadInput: As `located`.
    """
    return _folders[located(name, Path.cwd())]


def arrived(folder: Folder, run: Path) -> None:
    """Know a folder in a trial's process, as it was looked through when the trial was planned.

    Args:
        folder: What the trial carries.
        run: The run directory, where its decoded images are kept.
    """
    _folders[folder.name] = folder
    _known[folder.name] = _dataset(folder, f"images in {folder.path}", (), run)


def _folder(found: Survey) -> Folder:
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", found.path.name) or "root"
    return Folder(
        name=f"{FOLDER}{name}@{found.digest}",
        path=str(found.path),
        channels=found.channels,
        classes=found.labels + 1 if found.labels else len(found.classes),
        development_size=len(found.development),
        test_size=len(found.test),
        per_pixel=bool(found.tree.masks),
        binary=found.binary,
    )


def _dataset(folder: Folder, told: str, left_out: tuple[str, ...], run: Path | None = None) -> Dataset:
    return Dataset(
        name=folder.name,
        summary=told,
        in_channels=folder.channels,
        num_classes=folder.classes,
        development_size=folder.development_size,
        load=partial(_load, folder, run),
        unavailable=lambda: None,
        test_size=folder.test_size,
        source=folder.path,
        warnings=left_out,
        per_pixel=folder.per_pixel,
    )


def _load(folder: Folder, run: Path | None, image_size: int) -> "tuple[Images, Images]":
    from runners.folders.decoded import load

    return load(folder, image_size, run)

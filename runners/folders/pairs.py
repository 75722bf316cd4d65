"""The files of a folder of images with masks: a label for each pixel.

`images` and `masks` with equal names, beside each other or both in `train` and `test`; or PASCAL VOC's own
folders (M. Everingham et al. 2010), whose `train.txt` is for training and `val.txt` for testing.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from runners.errors import BadInput
from runners.folders import tree
from runners.folders.tree import ENDINGS, TEST, TRAIN, Tree, subfolders

IMAGES, MASKS = "images", "masks"
_VOC_IMAGES, _VOC_MASKS, _VOC_LISTS = "JPEGImages", "SegmentationClass", "ImageSets/Segmentation"
_VOC_TEST = "val"
_MASK_ENDINGS = frozenset({".bmp", ".gif", ".pgm", ".png", ".tif", ".tiff"})
"""Of files that hold each pixel as it was: JPEG makes labels up at the edges."""


def read(path: Path, where: str) -> Tree:
    """Find the images of a folder, and the mask of each where it has some; none is opened.

    Args:
        path: The folder.
        where: The data set, for messages.

    Raises:
        BadInput: As `tree.read`; no image has a mask, or VOC's lists are missing.
    """
    return (_with_masks(path, where) if path.is_dir() else None) or tree.read(path, where)


def _with_masks(path: Path, where: str) -> Tree | None:
    folders = set(subfolders(path))
    if {_VOC_IMAGES, _VOC_MASKS} <= folders:
        return _voc(path, where)
    if {IMAGES, MASKS} <= folders:
        return _paired(path, where, ("",))
    if {TRAIN, TEST} <= folders and all(
        {IMAGES, MASKS} <= set(subfolders(path / part)) for part in (TRAIN, TEST)
    ):
        return _paired(path, where, (f"{TRAIN}/", f"{TEST}/"))
    return None


def _paired(path: Path, where: str, parts: Sequence[str]) -> Tree:
    files, masks, lonely = [], [], []
    for part in parts:
        images = dict(_by_stem(path / part / IMAGES, ENDINGS))
        labelled = dict(_by_stem(path / part / MASKS, _MASK_ENDINGS))
        if not images.keys() & labelled.keys():
            raise BadInput(
                f"{where}: no file in {path / part / MASKS} is named like one in {path / part / IMAGES};"
                " expected images/a.jpg and masks/a.png"
            )
        for stem in sorted(images):
            if stem in labelled:
                files.append((f"{part}{IMAGES}/{images[stem]}", 0))
                masks.append(f"{part}{MASKS}/{labelled[stem]}")
            else:
                lonely.append(f"{part}{IMAGES}/{images[stem]}")
    return Tree(path, len(parts) > 1, (), tuple(files), masks=tuple(masks), lonely=tuple(lonely))


def _voc(path: Path, where: str) -> Tree:
    files, tested = [], set()
    for part in (TRAIN, _VOC_TEST):
        listed = path / _VOC_LISTS / f"{part}.txt"
        try:
            names = listed.read_text().split()
        except (OSError, UnicodeDecodeError):
            raise BadInput(f"{where}: no list {listed}; expected the names of the images in it") from None
        files += [f"{_VOC_IMAGES}/{name}.jpg" for name in names]
        if part == _VOC_TEST:
            tested = {f"{_VOC_IMAGES}/{name}.jpg" for name in names}
    return Tree(
        path,
        True,
        (),
        tuple((file, 0) for file in files),
        masks=tuple(f"{_VOC_MASKS}/{Path(file).stem}.png" for file in files),
        listed=frozenset(tested),
    )


def _by_stem(folder: Path, endings: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Files, however deep, by their path without its ending."""
    for where, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and Path(file).suffix.lower() in endings:
                relative = Path(where, file).relative_to(folder)
                yield relative.with_suffix("").as_posix(), relative.as_posix()

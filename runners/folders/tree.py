"""The files of a folder of images, by part and class."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ablations.factor import nearest
from runners.errors import BadInput

ENDINGS = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Of the files that are taken for images, in small letters."""
TRAIN, TEST = "train", "test"
_VALIDATION = {"val", "valid", "validation"}
_FEWEST_CLASSES = 2
_MOST_SIBLINGS = 8
"""Of a folder that is not there, where none has a name like it: more are no help."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What lies in a folder.

    Attributes:
        path: The folder.
        split: Whether it says what is for testing: `train` and `test`, or lists.
        classes: Names of the classes; a label is a place in it. None where pixels have the labels.
        files: Paths relative to the folder, in order, each with its label.
        ignored: Names of sub-folders beside `train` and `test`.
        masks: The mask of each file, likewise; none where images have the labels.
        lonely: Images without a mask, where others have one.
        listed: Files that a list has for testing.
    """

    path: Path
    split: bool
    classes: tuple[str, ...]
    files: tuple[tuple[str, int], ...]
    ignored: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    lonely: tuple[str, ...] = ()
    listed: frozenset[str] = frozenset()

    def tests(self, place: int) -> bool:
        """Whether a file is for testing, where it is said."""
        file = self.files[place][0]
        return file.startswith(f"{TEST}/") or file in self.listed


def read(path: Path, where: str) -> Tree:
    """Find the images of a folder; none is opened.

    Args:
        path: The folder.
        where: The data set, for messages.

    Raises:
        BadInput: It is none, or has no sub-folders of images; with the nearest that might be meant.
    """
    if not path.is_dir():
        raise BadInput(f"{where}: {_missing(path)}")
    folders = subfolders(path)
    if {TRAIN, TEST} <= set(folders):
        return _split(path, where, tuple(name for name in folders if name not in {TRAIN, TEST}))
    if TRAIN in folders and set(folders) <= {TRAIN, *_VALIDATION}:
        others = [name for name in folders if name != TRAIN]
        instead = f"rename {others[0]} to {TEST}" if others else f"write folder:{path / TRAIN}"
        raise BadInput(f"{where}: {path} has {' and '.join(folders)} but no {TEST}; {instead}")
    _check_classes(path, folders, where)
    return Tree(path, False, tuple(folders), tuple(_files(path, folders, "")))


def _split(path: Path, where: str, ignored: tuple[str, ...]) -> Tree:
    classes = subfolders(path / TRAIN)
    _check_classes(path / TRAIN, classes, where)
    tested = subfolders(path / TEST)
    for here, there, part in ((classes, tested, TEST), (tested, classes, TRAIN)):
        lacking = [name for name in here if name not in there]
        if lacking:
            raise BadInput(f"{where}: {path / part} lacks class {lacking[0]!r}{nearest(lacking[0], there)}")
    files = [*_files(path, classes, f"{TRAIN}/"), *_files(path, classes, f"{TEST}/")]
    return Tree(path, True, tuple(classes), tuple(files), ignored)


def _missing(path: Path) -> str:
    if path.exists():
        return f"{path} is a file; expected a folder with one sub-folder of images per class"
    parent = next(folder for folder in path.parents if folder.is_dir())
    lost, siblings = path.relative_to(parent).parts[0], subfolders(parent)
    near = get_close_matches(lost, siblings, n=1) or (siblings if len(siblings) <= _MOST_SIBLINGS else [])
    return f"no folder {parent / lost}{nearest(lost, near)}"


def _check_classes(path: Path, folders: list[str], where: str) -> None:
    """Refuse fewer than two sub-folders, and say where there are some."""
    if len(folders) >= _FEWEST_CLASSES:
        return
    has = f"only one sub-folder, {folders[0]}" if folders else "no sub-folders"
    deeper = [name for name in folders if len(subfolders(path / name)) >= _FEWEST_CLASSES]
    instead = f"; did you mean folder:{path / deeper[0]}?" if deeper else ""
    raise BadInput(f"{where}: {path} has {has}; expected one per class, two at least{instead}")


def subfolders(path: Path) -> list[str]:
    """Names of the folders in it that are not hidden, in order."""
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _files(path: Path, classes: list[str], part: str) -> Iterator[tuple[str, int]]:
    for label, name in enumerate(classes):
        for folder, folders, files in os.walk(path / part / name, followlinks=False):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for file in sorted(files):
                if not file.startswith(".") and Path(file).suffix.lower() in ENDINGS:
                    yield Path(folder, file).relative_to(path).as_posix(), label

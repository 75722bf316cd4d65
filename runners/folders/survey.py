"""Looking through a folder of images before anything trains: what can be read, what is for testing."""

import hashlib
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runners.datasets import IGNORED
from runners.errors import BadInput
from runners.folders import masks, pairs, pictures, tree
from runners.folders.pictures import Picture
from runners.folders.tree import Tree

TEST_FRACTION = 0.2
"""Of each class, where the folder has no `test`."""
_FEWEST_IMAGES = 2
"""Different ones of a class: one to train on, one for testing."""
_FEWEST_WITH_MASKS = 3
"""Of which one is for validation."""
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Survey:
    """What a folder holds.

    Attributes:
        tree: Its files.
        pictures: What each of them is, in the same order.
        development: Places among them that are split into training and validation, in ascending order.
        test: Places that are for testing, likewise.
        channels: 1 where all images are grey, else 3.
        labels: Highest label of a pixel that counts, and 1; 0 where images have the labels.
        binary: Whether masks hold 0 and 255 alone, which is the foreground then.
        digest: Of every name and content.
    """

    tree: Tree
    pictures: tuple[Picture, ...]
    development: tuple[int, ...]
    test: tuple[int, ...]
    channels: int
    labels: int
    binary: bool
    digest: str

    @property
    def path(self) -> Path:
        """The folder."""
        return self.tree.path

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.tree.classes


_surveys: dict[Path, tuple[object, Survey]] = {}


def survey(path: Path, where: str) -> Survey:
    """Decode every image of a folder once; what did not change since the last time is not read again.

    Args:
        path: The folder.
        where: The data set, for messages.

    Raises:
        BadInput: It has no sub-folders of images, or one with fewer than two.
    """
    found = pairs.read(path, where)
    state = (found, _state(found))
    if path not in _surveys or _surveys[path][0] != state:
        with warnings.catch_warnings():  # of Pillow, on what it makes the best of
            warnings.simplefilter("ignore")
            seen = tuple(pictures.each(partial(_look, found), range(len(found.files)), cores()))
        _surveys[path] = (state, judged(found, seen, where))
    return _surveys[path][1]


def judged(found: Tree, seen: tuple[Picture, ...], where: str) -> Survey:
    """What files come to, once each was read.

    Args:
        found: The files.
        seen: What each of them is.
        where: The data set, for messages.

    Raises:
        BadInput: A class has too few images; a line for each.
    """
    usable = [place for place, picture in enumerate(seen) if picture.wrong is None]
    values = {value for place in usable for value, _ in seen[place].counts}
    flags = [{value for value, _ in seen[place].counts} for place in usable]
    binary = IGNORED in values and all(flag <= {0, 1} or flag <= {0, IGNORED} for flag in flags)
    tested = _test(found, seen, usable)
    survey_ = Survey(
        tree=found,
        pictures=seen,
        development=tuple(place for place in usable if place not in tested),
        test=tuple(sorted(tested)),
        channels=1 if all(seen[place].grey for place in usable) else 3,
        labels=max((1, *(values - {IGNORED}))) if found.masks else 0,
        binary=binary,
        digest=digest(found, seen),
    )
    mistakes = list(_too_few(survey_, where))
    if mistakes:
        raise BadInput(mistakes)
    return survey_


def _look(found: Tree, place: int) -> Picture:
    image = found.path / found.files[place][0]
    return masks.look(image, found.path / found.masks[place]) if found.masks else pictures.look(image)


def digest(found: Tree, seen: Sequence[Picture]) -> str:
    """A hash of the files' names and contents, wherever the folder lies and whatever it is called."""
    lines = sorted(
        f"{file}\0{picture.checksum}" for (file, _), picture in zip(found.files, seen, strict=True)
    )
    content = "\n".join(lines).encode("utf-8", errors="surrogateescape")
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _state(found: Tree) -> tuple[tuple[int, int], ...]:
    """Size and time of each file, by which a change is seen within a process."""
    states = []
    for file in (*(file for file, _ in found.files), *found.masks):
        try:
            status = (found.path / file).stat()
        except OSError:
            states.append((-1, -1))
        else:
            states.append((status.st_size, status.st_mtime_ns))
    return tuple(states)


def _test(found: Tree, seen: Sequence[Picture], usable: Iterable[int]) -> set[int]:
    """What lies in `test`; else a fifth of each class, drawn by the images' checksums.

    A checksum is as good as drawn, and belongs to the image: no study's seed changes it, an image that is
    added moves hardly another one, and copies of an image stay together.
    """
    if found.split:
        return {place for place in usable if found.tests(place)}
    by_class: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place in usable:
        by_class[found.files[place][1]][seen[place].checksum].append(place)
    drawn: set[int] = set()
    for images in by_class.values():
        count = max(1, round(TEST_FRACTION * len(images)))
        drawn.update(place for checksum in sorted(images)[:count] for place in images[checksum])
    return drawn


def _too_few(found: Survey, where: str) -> Iterable[str]:
    if found.tree.masks:
        for places, what in ((found.development, "training"), (found.test, "testing")):
            if len(places) < (_FEWEST_WITH_MASKS if what == "training" else 1):
                wrong = next((picture.wrong for picture in found.pictures if picture.wrong), None)
                beside = f"; the first that is left out: {wrong}" if wrong else ""
                yield (
                    f"{where}: {len(places)} images with a mask for {what}; expected"
                    f" {_FEWEST_WITH_MASKS} for training, of which some validate, and one for testing{beside}"
                )
        return
    parts = (
        [(found.development, f"{tree.TRAIN}/", _FEWEST_IMAGES), (found.test, f"{tree.TEST}/", 1)]
        if found.tree.split
        else [((*found.development, *found.test), "", _FEWEST_IMAGES)]
    )
    for places, part, fewest in parts:
        different = {(found.tree.files[place][1], found.pictures[place].checksum) for place in places}
        counts = Counter(label for label, _ in different)
        for label, name in enumerate(found.classes):
            if counts[label] < fewest:
                unreadable = sum(
                    picture.wrong is not None and file.startswith(f"{part}{name}/")
                    for (file, _), picture in zip(found.tree.files, found.pictures, strict=True)
                )
                beside = f" and {unreadable} unreadable" if unreadable else ""
                yield (
                    f"{where}: class {part}{name} has {counts[label]} different"
                    f" image{'' if counts[label] == 1 else 's'}{beside}; expected {fewest} or more"
                )

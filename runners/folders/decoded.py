"""Images of a folder at one size: decoded once for a run, kept in its directory, read as they are needed."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter

from results.records.directory import own_folder
from results.records.files import RecordError, parse, write_json
from results.records.values import STRICT, Text
from runners.errors import BadInput
from runners.folder import Folder
from runners.folders import masks, pairs, pictures
from runners.folders.survey import cores, judged
from runners.images import Images, moments, standardizing
from runners.run_lock import lock

FOLDER = "data"
"""In a run directory. It may be deleted: what is missing is decoded again."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Decoded:
    """What is kept beside the pixels.

    Attributes:
        shape: Of the pixels: images, channels, height, width; a channel more where they have masks.
        labels: Of each image.
        development: Places of the images that are split into training and validation.
        test: Places of those for testing.
        mean: Of the development images, by channel.
        deviation: Likewise.
        checksum: SHA-256 of the pixels.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    shape: tuple[int, int, int, int]
    labels: tuple[int, ...]
    development: tuple[int, ...]
    test: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    checksum: Text


_DECODED = TypeAdapter(_Decoded)


def load(folder: Folder, image_size: int, run: Path | None) -> tuple[Images, Images]:
    """Development and test images.

    Args:
        folder: Where they lie, and what it should hold.
        image_size: Height and width in pixels.
        run: The run directory that keeps them; None to hold them in memory.

    Raises:
        BadInput: The folder holds something else by now.
        StorageError: What stands in the run directory where they are kept is no folder of its own.
    """
    decode = partial(_decode, folder, image_size)
    if run is None:
        pixels, decoded = decode(_zeros)
    else:
        place = own_folder(run, FOLDER)
        stem = f"{folder.name.partition(':')[2]}-{image_size}px"
        with _turn(place):  # the first of several trials decodes, the others wait and read
            kept = _kept(place, stem)
            pixels, decoded = kept if kept is not None else _keep(place, stem, decode)
    preparation = standardizing(torch.tensor(decoded.mean), torch.tensor(decoded.deviation), image_size)
    whole, labels = torch.from_numpy(pixels), torch.tensor(decoded.labels)
    if folder.per_pixel:
        whole, labels = whole[:, :-1], whole[:, -1]
    every = Images(whole, labels, preparation)
    return every.take(torch.tensor(decoded.development)), every.take(torch.tensor(decoded.test))


def _decode(
    folder: Folder, image_size: int, make: Callable[[tuple[int, int, int, int]], Pixels]
) -> tuple[Pixels, _Decoded]:
    """Read every image on all cores; one that cannot be read has a place that nothing points to."""
    where, path = f"data set {folder.name}", Path(folder.path)
    found = pairs.read(path, where)
    shape = (len(found.files), folder.channels + folder.per_pixel, image_size, image_size)
    pixels = make(shape)

    def fill(place: int) -> pictures.Picture:
        file, channels = path / found.files[place][0], folder.channels
        if folder.per_pixel:
            mask = path / found.masks[place]
            picture, image = masks.decode(file, mask, image_size, channels, binary=folder.binary)
        else:
            picture, image = pictures.decode(file, image_size, channels)
        if image is not None:
            pixels[place] = image
        return picture

    survey = judged(found, tuple(pictures.each(fill, range(len(found.files)), cores())), where)
    if not folder.name.endswith(f"@{survey.digest}"):
        raise BadInput(f"{where}: {path} changed since the run was planned; run the same command again")
    shown = torch.from_numpy(pixels)[:, : folder.channels]
    mean, deviation = moments(shown, torch.tensor(survey.development))
    return pixels, _Decoded(
        shape=shape,
        labels=tuple(label for _, label in found.files),
        development=survey.development,
        test=survey.test,
        mean=tuple(mean.tolist()),
        deviation=tuple(deviation.tolist()),
        checksum=hashlib.sha256(pixels.data).hexdigest(),
    )


def _kept(place: Path, stem: str) -> tuple[Pixels, _Decoded] | None:
    """What was decoded before, left on disk but for the rows that are read; None if it is not whole."""
    try:
        decoded = parse(place / f"{stem}.json", _DECODED, "a list of images")
        pixels = _mapped(place / f"{stem}.pixels", decoded.shape)
    except (RecordError, OSError, ValueError):
        return None
    return (pixels, decoded) if hashlib.sha256(pixels.data).hexdigest() == decoded.checksum else None


def _keep(
    place: Path,
    stem: str,
    decode: Callable[[Callable[[tuple[int, int, int, int]], Pixels]], tuple[Pixels, _Decoded]],
) -> tuple[Pixels, _Decoded]:
    """Decode into a file, which is there as a whole or not at all; into memory where the disk is full."""
    descriptor, temporary = tempfile.mkstemp(dir=place, prefix=".", suffix=".tmp")
    os.close(descriptor)
    try:
        pixels, decoded = decode(partial(_allocated, Path(temporary)))
        if isinstance(pixels, np.memmap):
            pixels.flush()
            Path(temporary).replace(place / f"{stem}.pixels")
            write_json(place / f"{stem}.json", decoded)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return pixels, decoded


def _allocated(path: Path, shape: tuple[int, int, int, int]) -> Pixels:
    """Room on disk, all of it at once: a full disk would end the process when it is written to."""
    try:
        with path.open("r+b") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)))
            else:
                file.truncate(int(np.prod(shape)))
    except OSError:
        return _zeros(shape)
    return _mapped(path, shape, "r+")


def _zeros(shape: tuple[int, int, int, int]) -> Pixels:
    return np.zeros(shape, np.uint8)


def _mapped(path: Path, shape: tuple[int, int, int, int], mode: str = "c") -> Pixels:
    return np.memmap(path, np.uint8, mode, shape=shape)  # type: ignore[call-overload,no-any-return]


@contextmanager
def _turn(place: Path) -> Iterator[None]:
    """One process at a time."""
    with (place / ".lock").open("a") as file:
        lock(file, lambda: None)  # without locks several decode the same, and none harms another
        yield

"""One image file: whether it can be read, and its pixels."""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

S = TypeVar("S")
T = TypeVar("T")

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What is read, whatever a file's name says; others, such as PostScript, would run a program."""
_GREY = {"1", "L", "LA", "I", "I;16", "I;16B", "I;16L"}
_SIDEWAYS = {5, 6, 7, 8}
"""Orientations in which width and height change places."""
_CHECKED_SIZE = 8
"""Pixels to which an image is decoded that is only looked at: JPEG's decoder saves what it can."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of an image file.

    Attributes:
        checksum: SHA-256 of the file; empty where it could not be read at all.
        grey: Whether it has no colour.
        size: Width and height in pixels, as people see it.
        wrong: Why it cannot be used; None where it can.
        counts: Pixels by label, where it has a mask.
    """

    checksum: str
    grey: bool = False
    size: tuple[int, int] = (0, 0)
    wrong: str | None = None
    counts: tuple[tuple[int, int], ...] = ()


def look(path: Path) -> Picture:
    """Decode an image file, and say what it is."""
    return _read(path, None)[0]


def decode(path: Path, size: int, channels: int) -> tuple[Picture, NDArray[np.uint8] | None]:
    """An image file and its pixels (channels, size, size); None where it cannot be read.

    It is turned as its camera noted, the largest square in its middle is taken, and that is resized
    (bilinear, over all pixels that a new one stands for): its shorter side becomes `size`.

    Args:
        path: The file.
        size: Height and width in pixels.
        channels: 3 for red, green and blue; 1 for grey.
    """
    return _read(path, (size, channels))


def each(function: Callable[[S], T], items: Iterable[S], threads: int) -> Iterator[T]:
    """What a function makes of each item, in order, by so many threads; what fails ends the others."""
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(function, items)


def _read(path: Path, wanted: tuple[int, int] | None) -> tuple[Picture, NDArray[np.uint8] | None]:
    try:
        content = path.read_bytes()
    except OSError as error:
        return Picture("", wrong=(error.strerror or str(error)).lower()), None
    checksum = hashlib.sha256(content).hexdigest()
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.mode == "F":
                return Picture(checksum, wrong="its pixels are fractions"), None
            grey, full = image.mode in _GREY, image.size
            side = _CHECKED_SIZE if wanted is None else 2 * wanted[0]
            image.draft(None, (side, side))  # of a large JPEG, no more than is asked for is decoded
            image.load()
            turned = ImageOps.exif_transpose(image)
            sideways = image.getexif().get(ExifTags.Base.Orientation, 1) in _SIDEWAYS
            picture = Picture(checksum, grey, full[::-1] if sideways else full)
            return picture, None if wanted is None else _pixels(turned, *wanted)
    except Exception as error:  # noqa: BLE001 - a decoder may fail in any way
        return Picture(checksum, wrong=reason(error)), None


def _pixels(image: Image.Image, size: int, channels: int) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow would keep the lowest 8
        image = Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    image = image.convert("L" if channels == 1 else "RGB")
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    resized = image.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    return np.asarray(resized).reshape(size, size, channels).transpose(2, 0, 1)


def reason(error: Exception) -> str:
    """Why an image cannot be decoded, in a line."""
    if isinstance(error, UnidentifiedImageError):
        return "no image that can be read"
    return " ".join(str(error).split()) or type(error).__name__

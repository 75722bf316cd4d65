"""An image file with its mask: whether the two go together, and their pixels."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runners.datasets import IGNORED
from runners.folders import pictures
from runners.folders.pictures import FORMATS, Picture

_FOREGROUND = 1
"""What 255 stands for where masks hold it and 0 alone."""
_LABELS = {"L", "P", "1", "I", "I;16"}
"""Modes in which a pixel is one number: grey, a place in a palette, or a flag."""
_SPREAD = {"L;2": 85, "L;4": 17}
"""By how much Pillow multiplies grey of few bits, so that its highest is white."""


def look(image: Path, mask: Path) -> Picture:
    """Decode both, and say what they are; `counts` are the pixels by label."""
    return _with_labels(pictures.look(image), mask)[0]


def decode(
    image: Path, mask: Path, size: int, channels: int, *, binary: bool
) -> tuple[Picture, NDArray[np.uint8] | None]:
    """An image and, in the last channel, its labels: (channels + 1, size, size); None where it is left out.

    The square in the middle of both is taken; labels are those of the nearest pixels.

    Args:
        image: The image's file.
        mask: The mask's.
        size: Height and width in pixels.
        channels: Of the image, 3 or 1.
        binary: Whether 255 is the foreground and not a pixel that does not count.
    """
    picture, pixels = pictures.decode(image, size, channels)
    picture, labels = _with_labels(picture, mask)
    if pixels is None or labels is None:
        return picture, None
    side = min(picture.size)
    left, top = (picture.size[0] - side) / 2, (picture.size[1] - side) / 2
    box = (left, top, left + side, top + side)
    chosen = np.asarray(Image.fromarray(labels).resize((size, size), Image.Resampling.NEAREST, box))
    if binary:
        chosen = np.where(chosen == IGNORED, _FOREGROUND, chosen)
    return picture, np.concatenate([pixels, chosen[None].astype(np.uint8)])


def _with_labels(picture: Picture, mask: Path) -> tuple[Picture, NDArray[np.uint8] | None]:
    """A picture's, with what is wrong with its mask, its checksum taken in."""
    if picture.wrong is not None:
        return picture, None
    try:
        content = mask.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return replace(picture, wrong=f"its mask {mask.name}: {reason}"), None
    checksum = hashlib.sha256((picture.checksum + hashlib.sha256(content).hexdigest()).encode()).hexdigest()
    picture = replace(picture, checksum=checksum)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as file:
            mode, size, packed = file.mode, file.size, str(file.tile[0][3]) if file.tile else ""
            labels = np.asarray(file)
    except Exception as error:  # noqa: BLE001 - a decoder may fail in any way
        return replace(picture, wrong=f"its mask {mask.name}: {pictures.reason(error)}"), None
    labels = labels // _SPREAD.get(packed, 1)
    if mode not in _LABELS or labels.max() > IGNORED or labels.min() < 0:
        wanted = "one label a pixel (grey or palette, up to 255)"
        said = f"its mask {mask.name} has pixels of kind {mode}; expected {wanted}"
        return replace(picture, wrong=said), None
    if size != picture.size:
        sizes = "x".join(map(str, size)), "x".join(map(str, picture.size))
        return replace(
            picture, wrong=f"its mask {mask.name} is of {sizes[0]} pixels, it is of {sizes[1]}"
        ), None
    labels = labels.astype(np.uint8)
    values, counts = np.unique(labels, return_counts=True)
    return replace(picture, counts=tuple(zip(values.tolist(), counts.tolist(), strict=True))), labels

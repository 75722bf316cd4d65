"""Folders of images for tests, drawn by seed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

PETS: Mapping[str, int] = {"cat": 12, "dog": 10, "fox": 6}


def make(path: Path, images: Mapping[str, int] = PETS, *, seed: int = 0, colour: bool = True) -> Path:
    """A folder with so many PNG images in each sub-folder, of sizes from 20 to 40 pixels."""
    generator = np.random.default_rng(seed)
    for name, count in images.items():
        (path / name).mkdir(parents=True)
        for number in range(count):
            width, height = generator.integers(20, 41, 2)
            shape = (height, width, 3) if colour else (height, width)
            pixels = generator.integers(0, 256, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(path / name / f"{number:03}.png", compress_level=1)
    return path


def truncate(path: Path) -> Path:
    """Take the second half of a file away."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path

"""Fashion-MNIST (Xiao et al. 2017): from Debian's package where installed, else torchvision's download."""

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from runners.datasets import Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from runners.images import Images

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where the package `dataset-fashion-mnist` puts the four idx files."""

_GZIP = 16 + zlib.MAX_WBITS

_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _folder() -> Path | None:
    """The first folder that holds the four files; torchvision keeps them in `FashionMNIST/raw`."""
    root = Path(os.environ.get("ABLATE_DATA", "data"))
    for folder in (DEBIAN, root / "fashion-mnist", root / "FashionMNIST" / "raw"):
        if all(_existing(folder / name) is not None for name in _FILES):
            return folder
    return None


def _existing(path: Path) -> Path | None:
    return next((p for p in (path, path.with_name(path.name + ".gz")) if p.is_file()), None)


def _unavailable() -> str | None:
    if _folder() is not None:
        return None
    return (
        "fashion-mnist is not on this machine; install Debian's package dataset-fashion-mnist, or run"
        " python -c \"import torchvision; torchvision.datasets.FashionMNIST('data', download=True)\""
    )


def _read_idx(path: Path) -> "Tensor":
    """An idx file of unsigned bytes: magic (0, 0, 8, dimensions), big-endian sizes, data."""
    import numpy as np
    import torch

    existing = _existing(path)
    assert existing is not None
    content = existing.read_bytes()
    if existing.suffix == ".gz":
        content = zlib.decompress(content, wbits=_GZIP)  # a fifth faster than `gzip` on files of one member
    if content[:3] != b"\0\0\x08":
        raise ValueError(f"{existing}: not an idx file of unsigned bytes")
    shape = np.frombuffer(content, ">i4", count=content[3], offset=4)
    data = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)
    return torch.from_numpy(data.copy())


def _load(image_size: int) -> "tuple[Images, Images]":
    from runners.images import standardized

    folder = _folder()
    if folder is None:
        raise ValueError(_unavailable())
    images, labels, test_images, test_labels = (_read_idx(folder / name) for name in _FILES)
    return standardized((images.unsqueeze(1), labels), (test_images.unsqueeze(1), test_labels), image_size)


DATASET = Dataset(
    name="fashion-mnist",
    summary="70,000 photographs of clothing of 28x28 pixels in grey, its own 10,000 for testing"
    " (Xiao et al. 2017)",
    in_channels=1,
    num_classes=10,
    development_size=60_000,
    load=_load,
    unavailable=_unavailable,
)

"""Fashion-MNIST (Xiao et al. 2017): in one's own folder, torchvision's, or that of Debian's package."""

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from runners.data_files import damaged, root, verify
from runners.datasets import Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from runners.images import Images

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where the package `dataset-fashion-mnist` puts the four idx files."""

_GZIP = 16 + zlib.MAX_WBITS
_SIDE = 28

_CHECKSUMS = {
    "train-images-idx3-ubyte": "sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "sha256:bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "sha256:5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "sha256:0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""Of what is packed, since the archives of Debian and of the authors differ."""


def _folder() -> Path | None:
    """The first folder that holds the four files; torchvision keeps them in `FashionMNIST/raw`."""
    for folder in (root() / "fashion-mnist", root() / "FashionMNIST" / "raw", DEBIAN):
        if all(_existing(folder / name) is not None for name in _CHECKSUMS):
            return folder
    return None


def _existing(path: Path) -> Path | None:
    return next((p for p in (path, path.with_name(path.name + ".gz")) if p.is_file()), None)


def _download() -> str:
    return (
        f'python -c "import torchvision; torchvision.datasets.FashionMNIST({str(root())!r}, download=True)"'
    )


def _unavailable() -> str | None:
    if _folder() is not None:
        return None
    return (
        "fashion-mnist is not on this machine; install Debian's package dataset-fashion-mnist, or run"
        f" {_download()}"
    )


def _content(path: Path) -> bytes:
    """What a file holds, unpacked and checked.

    Raises:
        BadInput: It is damaged.
    """
    existing = _existing(path)
    assert existing is not None
    again = f"remove {existing.parent} and run {_download()}"
    if existing.parent == DEBIAN:
        again = "run apt-get install --reinstall dataset-fashion-mnist"
    content = existing.read_bytes()
    if existing.suffix == ".gz":
        try:
            content = zlib.decompress(content, wbits=_GZIP)  # a fifth faster than `gzip`
        except zlib.error as error:
            raise damaged(existing, "a gzip file", f"one that ends early ({error})", again) from error
    verify(content, existing, _CHECKSUMS[path.name], again)
    return content


def _contents() -> list[bytes]:
    folder = _folder()
    if folder is None:
        raise ValueError(_unavailable())
    return [_content(folder / name) for name in _CHECKSUMS]


def _inspect() -> None:
    _contents()


def _decoded(content: bytes) -> "Tensor":
    """An idx file of unsigned bytes: magic (0, 0, 8, dimensions), big-endian sizes, data."""
    import numpy as np
    import torch

    shape = np.frombuffer(content, ">i4", count=content[3], offset=4)
    data = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)
    return torch.from_numpy(data.copy())


def _load(image_size: int) -> "tuple[Images, Images]":
    from runners.images import standardized

    images, labels, test_images, test_labels = map(_decoded, _contents())
    return standardized((images.unsqueeze(1), labels), (test_images.unsqueeze(1), test_labels), image_size)


DATASET = Dataset(
    name="fashion-mnist",
    summary="70,000 photographs of clothing in grey, 10,000 of them for testing",
    in_channels=1,
    num_classes=10,
    development_size=60_000,
    load=_load,
    unavailable=_unavailable,
    native_size=(_SIDE, _SIDE),
    test_size=10_000,
    license="MIT",
    source="Xiao, Rasul and Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist",
    checksums=_CHECKSUMS,
    inspect=_inspect,
)

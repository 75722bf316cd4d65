"""CIFAR-10 (Krizhevsky 2009): the binary version, in its folder or in the archive that it comes in.

The version for Python is a pickle, which may run anything, and is not read.
"""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runners.data_files import damaged, root, verify
from runners.datasets import Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from runners.images import Images

_FOLDER, _ARCHIVE = "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_SIDE = 32
_IMAGE_BYTES = 3 * _SIDE * _SIDE

_CHECKSUMS = {
    "data_batch_1.bin": "sha256:cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "sha256:a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "sha256:bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "sha256:014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "sha256:755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "sha256:8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""Training images in their order, then those for testing; the same in the folder and in the archive."""


def _place() -> Path | None:
    """The folder if it has every file, else the archive."""
    folder, archive = root() / _FOLDER, root() / _ARCHIVE
    if all((folder / name).is_file() for name in _CHECKSUMS):
        return folder
    return archive if archive.is_file() else None


def _unavailable() -> str | None:
    if _place() is not None:
        return None
    pickled = (root() / "cifar-10-batches-py").exists()
    other = "; cifar-10-batches-py is a pickle, which is not read" if pickled else ""
    return f"cifar-10 is not in {root()}; run curl --create-dirs --output {root() / _ARCHIVE} {_URL}{other}"


def _contents() -> Iterator[bytes]:
    """What the files hold, in their order, each checked.

    Raises:
        BadInput: One of them is damaged.
        ValueError: They are not here.
    """
    place = _place()
    if place is None:
        raise ValueError(_unavailable())
    again = f"get it again: curl --output {root() / _ARCHIVE} {_URL}"
    if place.is_dir():
        read = {name: (place / name).read_bytes() for name in _CHECKSUMS}
        again += f", then remove {place}"
    else:
        try:
            with tarfile.open(place) as archive:
                members = {Path(member.name).name: member for member in archive if member.isfile()}
                files = {name: archive.extractfile(members[name]) for name in _CHECKSUMS if name in members}
                read = {name: file.read() for name, file in files.items() if file is not None}
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise damaged(
                place, "an archive of six files", f"one that ends early ({error})", again
            ) from error
    for name, checksum in _CHECKSUMS.items():
        verify(read.get(name, b""), place / name, checksum, again)
        yield read[name]


def _inspect() -> None:
    for _ in _contents():
        pass


def _decoded(records: bytes) -> "tuple[Tensor, Tensor]":
    """Images (N, 3, 32, 32) and labels (N,): a byte for the label, then red, green and blue row by row."""
    import torch

    table = torch.frombuffer(bytearray(records), dtype=torch.uint8).view(-1, 1 + _IMAGE_BYTES)
    return table[:, 1:].reshape(-1, 3, _SIDE, _SIDE), table[:, 0]


def _load(image_size: int) -> "tuple[Images, Images]":
    from runners.images import standardized

    *development, test = _contents()
    return standardized(_decoded(b"".join(development)), _decoded(test), image_size)


DATASET = Dataset(
    name="cifar-10",
    summary="60,000 photographs of animals and vehicles in colour, 10,000 of them for testing",
    in_channels=3,
    num_classes=10,
    development_size=50_000,
    load=_load,
    unavailable=_unavailable,
    native_size=(_SIDE, _SIDE),
    test_size=10_000,
    license="none stated; its authors ask to be cited",
    source="Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html",
    checksums=_CHECKSUMS,
    inspect=_inspect,
)

"""CIFAR-10's binary version, in files of its format that hold fewer images."""

import gzip
import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from runners.datasets import cifar10
from runners.errors import BadInput

CIFAR = cifar10.DATASET
COUNT = 20
"""Images a file."""


def images_of(place: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (20, 32, 32, 3) and labels of a file."""
    generator = np.random.default_rng(place)
    labels = generator.permutation(np.arange(COUNT, dtype=np.uint8) % 10)
    return generator.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8), labels


def content_of(place: int) -> bytes:
    """As its web page describes: the label, then 1024 bytes each of red, green and blue, row by row."""
    images, labels = images_of(place)
    return b"".join(
        bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3))
        for image, label in zip(images, labels, strict=True)
    )


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    checksums = {}
    for place, name in enumerate(CIFAR.checksums):
        (folder / name).write_bytes(content_of(place))
        checksums[name] = f"sha256:{hashlib.sha256(content_of(place)).hexdigest()}"
    monkeypatch.setattr(cifar10, "_CHECKSUMS", checksums)
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path))
    return folder


def pack(folder: Path) -> Path:
    """The archive beside the folder, which goes."""
    archive = folder.parent / "cifar-10-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, folder.name)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    return archive


@pytest.mark.parametrize("packed", [False, True])
def test_images_are_read_in_the_order_of_the_files_red_green_blue(data: Path, packed: bool) -> None:
    if packed:
        archive = pack(data)
    assert CIFAR.unavailable() is None
    CIFAR.inspect()
    development, test = CIFAR.load(32)
    assert (len(development), len(test)) == (5 * COUNT, COUNT)
    for part, places in ((development, range(5)), (test, [5])):
        images = np.concatenate([images_of(place)[0] for place in places])
        labels = np.concatenate([images_of(place)[1] for place in places])
        assert torch.equal(part.pixels.permute(0, 2, 3, 1), torch.from_numpy(images))
        assert torch.equal(part.labels, torch.from_numpy(labels).long())
    if packed:
        assert list(archive.parent.iterdir()) == [archive], "nothing was extracted"


@pytest.mark.parametrize("name", ["data_batch_3.bin", "test_batch.bin"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_file_is_named(data: Path, name: str, packed: bool) -> None:
    content = bytearray((data / name).read_bytes())
    content[5000] ^= 1
    (data / name).write_bytes(content)
    place = pack(data) if packed else data
    with pytest.raises(BadInput) as caught:
        CIFAR.inspect()
    (line,) = caught.value.lines
    assert line.startswith(f"{place / name}: damaged: expected sha256 ")
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" in line


@pytest.mark.parametrize("kept", [0, 10, 5000, -2000])
def test_an_archive_that_ends_early_is_one_line(data: Path, kept: int) -> None:
    archive = pack(data)
    archive.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(BadInput) as caught:
        CIFAR.load(32)
    (line,) = caught.value.lines
    assert line.startswith(f"{archive}: damaged: expected an archive of six files, found one that ends early")


def test_an_archive_that_lacks_a_file_names_it(data: Path) -> None:
    (data / "data_batch_2.bin").unlink()
    archive = pack(data)
    with pytest.raises(BadInput, match=r"data_batch_2\.bin: damaged: .*\(0 bytes\)"):
        CIFAR.inspect()
    archive.write_bytes(gzip.compress(b"\0" * 10240))
    with pytest.raises(BadInput, match=r"data_batch_1\.bin: damaged: .*\(0 bytes\)"):
        CIFAR.inspect()


def test_the_version_for_python_is_never_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a pickle; this one would print."""
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path))

    class Loud:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("unpickled",)

    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in ("data_batch_1", "data_batch_1.bin", "test_batch"):
        (folder / name).write_bytes(pickle.dumps(Loud()))
    pickle.load(io.BytesIO(pickle.dumps(Loud())))
    assert capsys.readouterr().out == "unpickled\n"
    reason = CIFAR.unavailable()
    assert reason is not None
    assert "is a pickle, which is not read" in reason
    with pytest.raises(ValueError, match="cifar-10 is not in"):
        CIFAR.load(32)
    assert capsys.readouterr().out == ""


def test_files_of_that_format_with_other_images_are_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "_CHECKSUMS", CIFAR.checksums)
    with pytest.raises(BadInput, match=r"data_batch_1\.bin: damaged: expected sha256 cee916563c9f"):
        CIFAR.inspect()

"""Fashion-MNIST's files: found where people keep them, read right, and refused in a line where damaged."""

import gzip
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from runners import datasets
from runners.datasets import fashion_mnist
from runners.errors import BadInput

FASHION_MNIST = fashion_mnist.DATASET
ROOT = Path(__file__).parents[3]
STUDY = """
architecture = "resnet"
[factors]
relu = ["inplace", "out_of_place"]
[[workloads]]
kind = "convergence"
dataset = "fashion-mnist"
levels = { depth = 18, width = 4 }
"""


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the files, packed and not, which is found before Debian's."""
    if (reason := FASHION_MNIST.unavailable()) is not None:
        pytest.skip(reason)
    found = fashion_mnist._folder()
    assert found is not None
    folder = tmp_path / "data" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name in FASHION_MNIST.checksums:
        content = fashion_mnist._content(found / name)
        if name.startswith("t10k"):
            (folder / name).write_bytes(content)
        else:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
    monkeypatch.setenv("ABLATE_DATA", str(folder.parent))
    return folder


def test_idx_files_are_read_as_torchvision_reads_them(tmp_path: Path) -> None:
    from torchvision.datasets.mnist import read_image_file

    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    content = b"\0\0\x08\x03" + struct.pack(">iii", 2, 3, 4) + pixels.tobytes()
    (tmp_path / "images").write_bytes(content)
    assert torch.equal(fashion_mnist._decoded(content), read_image_file(str(tmp_path / "images")))


def test_ones_own_files_are_read_packed_or_not(data: Path) -> None:
    assert fashion_mnist._folder() == data
    FASHION_MNIST.inspect()
    development, test = FASHION_MNIST.load(28)
    assert (len(development), len(test)) == (60_000, 10_000)
    assert torch.bincount(development.labels).tolist() == [6000] * 10
    assert torch.bincount(test.labels).tolist() == [1000] * 10


@pytest.mark.parametrize("name", ["t10k-labels-idx1-ubyte", "train-images-idx3-ubyte.gz"])
@pytest.mark.parametrize("damage", ["truncated", "one byte", "a page"])
def test_a_damaged_file_is_a_line_that_names_it_and_says_how_to_get_it_again(
    data: Path, name: str, damage: str
) -> None:
    file = data / name
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1
    left = {
        "truncated": content[:middle],
        "one byte": content,
        "a page": bytearray(b"<html>not found</html>"),
    }
    file.write_bytes(left[damage])
    with pytest.raises(BadInput) as caught:
        FASHION_MNIST.inspect()
    (line,) = caught.value.lines
    assert line.startswith(f"{file}: damaged: expected ")
    assert ", found " in line
    assert "download=True" in line
    with pytest.raises(BadInput) as caught:
        FASHION_MNIST.load(28)
    assert caught.value.lines == (line,)


def test_the_command_line_refuses_a_truncated_file_before_anything_runs(data: Path, tmp_path: Path) -> None:
    file = data / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-1000])
    (tmp_path / "mine.toml").write_text(STUDY)
    done = subprocess.run(
        [sys.executable, "-m", "runners", "run", "mine.toml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ablate: study mine: data set fashion-mnist: {file}: damaged: ")
    assert not (tmp_path / "runs").exists()


def test_a_data_set_that_is_not_here_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path)
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path))
    reason = datasets.get("fashion-mnist").unavailable()
    assert reason is not None
    assert "dataset-fashion-mnist" in reason
    assert str(tmp_path) in reason


def test_files_of_debians_package_are_got_again_from_debian(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", data)
    monkeypatch.setenv("ABLATE_DATA", str(data / "none"))
    shutil.copy(data / "t10k-labels-idx1-ubyte", data / "t10k-images-idx3-ubyte")
    with pytest.raises(BadInput, match=r"run apt-get install --reinstall dataset-fashion-mnist$"):
        FASHION_MNIST.inspect()

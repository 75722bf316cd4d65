"""Real images, an honest split."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from runners import datasets
from runners.datasets import fashion_mnist
from runners.errors import BadInput
from runners.images import stratified_split


def test_digits_are_scikit_learns_each_in_one_part() -> None:
    development, test = datasets.get("digits").load(8)
    ours = torch.cat([development.pixels, test.pixels]).flatten(1).numpy()
    assert sorted(ours.tolist()) == sorted(load_digits().data.tolist())


def test_the_fixed_test_set_of_digits_is_a_fifth_of_each_class() -> None:
    _, test = datasets.get("digits").load(8)
    totals = np.bincount(load_digits().target)
    assert torch.bincount(test.labels).tolist() == [round(0.2 * total) for total in totals]


@given(
    labels=st.lists(st.integers(0, 5), min_size=1, max_size=200),
    fraction=st.floats(0, 1),
    seed=st.integers(0, 2**40),
)
def test_a_stratified_split_takes_its_share_of_each_class_and_loses_none(
    labels: list[int], fraction: float, seed: int
) -> None:
    given_labels = torch.tensor(labels)
    rest, chosen = stratified_split(given_labels, fraction, torch.Generator().manual_seed(seed))
    assert sorted(torch.cat([rest, chosen]).tolist()) == list(range(len(labels)))
    for label in set(labels):
        count = labels.count(label)
        assert (given_labels[chosen] == label).sum().item() == round(fraction * count)


def test_idx_files_are_read_as_torchvision_reads_them(tmp_path: Path) -> None:
    from torchvision.datasets.mnist import read_image_file

    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    content = b"\0\0\x08\x03" + struct.pack(">iii", 2, 3, 4) + pixels.tobytes()
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(content)
    packed.with_name("packed.gz").write_bytes(gzip.compress(content))
    for path in (plain, packed):
        assert torch.equal(fashion_mnist._read_idx(path), read_image_file(str(plain)))


def test_a_file_that_is_no_idx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"<html>not found</html>")
    with pytest.raises(ValueError, match="page: not an idx file of unsigned bytes"):
        fashion_mnist._read_idx(tmp_path / "page")


def test_a_data_set_that_is_not_here_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path)
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path))
    reason = datasets.get("fashion-mnist").unavailable()
    assert reason is not None
    assert "dataset-fashion-mnist" in reason


def test_an_unknown_data_set_names_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"no data set 'fashion_mnist'; did you mean 'fashion-mnist'\?"):
        datasets.get("fashion_mnist")

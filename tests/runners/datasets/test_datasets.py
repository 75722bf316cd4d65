"""Real images, an honest split."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from runners import datasets
from runners.datasets import digits
from runners.errors import BadInput
from runners.images import stratified_split


def test_digits_are_scikit_learns_each_in_one_part() -> None:
    development, test = datasets.get("digits").load(8)
    ours = torch.cat([development.pixels, test.pixels]).flatten(1).numpy()
    assert sorted(ours.tolist()) == sorted(load_digits().data.tolist())


def test_the_fixed_test_set_of_digits_is_two_fifths_of_each_class() -> None:
    _, test = datasets.get("digits").load(8)
    totals = np.bincount(load_digits().target)
    assert torch.bincount(test.labels).tolist() == [round(0.4 * total) for total in totals]


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


def test_digits_that_are_not_scikit_learns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = load_digits()
    raw.images[7, 3, 3] += 1
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda: raw)
    for use in (digits.DATASET.inspect, lambda: digits.DATASET.load(8)):
        with pytest.raises(
            BadInput, match=r"digits\.csv\.gz: damaged: expected sha256 8f26b2bd9d13\.\.\., found"
        ):
            use()


def test_an_unknown_data_set_names_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"no data set 'fashion_mnist'; did you mean 'fashion-mnist'\?"):
        datasets.get("fashion_mnist")

"""The loss of a step against scikit-learn's, head by head; pixels that do not count have no part in it."""

import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn

from ablations.outputs import Auxiliary
from runners.datasets import IGNORED
from runners.loss import cross_entropy, labels_shape, logits_of

DRAW = torch.Generator().manual_seed(0)
LOGITS = torch.randn(3, 4, 5, 6, generator=DRAW, dtype=torch.float64)
LABELS = torch.randint(4, (3, 5, 6), generator=DRAW)
LABELS[0, :2] = IGNORED


def expected(logits: torch.Tensor) -> float:
    """Of the pixels that count."""
    counted = LABELS != IGNORED
    shares = logits.softmax(1).permute(0, 2, 3, 1)[counted]
    return float(log_loss(LABELS[counted], shares, labels=range(4)))


def test_pixels_that_do_not_count_are_left_out() -> None:
    logits = LOGITS.clone().requires_grad_()
    loss = cross_entropy(logits, LABELS)
    assert loss.item() == pytest.approx(expected(LOGITS))
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad[0, :, :2].any()
    assert logits.grad[0, :, 2:].all()


def test_an_auxiliary_head_adds_its_loss_by_its_weight() -> None:
    other = LOGITS.flip(1)
    output = Auxiliary(LOGITS, other, 0.4)
    assert cross_entropy(output, LABELS).item() == pytest.approx(expected(LOGITS) + 0.4 * expected(other))
    assert logits_of(output) is logits_of(LOGITS) is LOGITS


def test_of_images_class_255_is_one_like_any_other() -> None:
    logits = torch.zeros(2, 256)
    loss = cross_entropy(logits, torch.tensor([255, 0]))
    assert loss.item() == pytest.approx(log_loss([255, 0], [[1 / 256] * 256] * 2, labels=range(256)))


def test_a_network_says_whether_it_labels_pixels() -> None:
    network = nn.Identity()
    assert labels_shape(network, (8, 3, 32, 48)) == (8,)
    network.per_pixel = True  # type: ignore[assignment]
    assert labels_shape(network, (8, 3, 32, 48)) == (8, 32, 48)


def test_no_class_of_images_is_one_that_does_not_count() -> None:
    logits = torch.randn(4, 300, generator=DRAW, dtype=torch.float64)
    labels = torch.tensor([IGNORED, 0, 299, IGNORED])
    shares = logits.softmax(1)
    expected_ = log_loss(labels, shares, labels=range(300))
    assert cross_entropy(logits, labels).item() == pytest.approx(expected_)

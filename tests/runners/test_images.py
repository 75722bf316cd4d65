"""Images in batches: the same image gives the same bits, standardised by the development images alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from runners.images import Images, moments, resized_labels, standardized

SIZES = (8, 5, 20, 28)
"""As they are, smaller, enlarged; 28 leaves a rest in every vectorised loop."""


def drawn(count: int, channels: int = 3, height: int = 8, width: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, channels, height, width), generator=generator, dtype=torch.uint8)


def images(count: int, size: int, channels: int = 3) -> Images:
    labels = torch.arange(count) % 4
    development, _ = standardized((drawn(count, channels), labels), (drawn(5, channels), labels[:5]), size)
    return development


@given(
    positions=st.lists(st.integers(0, 69), min_size=1, max_size=70),
    size=st.sampled_from(SIZES),
    channels=st.sampled_from([1, 3]),
)
def test_an_image_is_the_same_to_the_bit_whatever_batch_it_stands_in(
    positions: list[int], size: int, channels: int
) -> None:
    found = images(70, size, channels)
    together, labels = found.batch(torch.tensor(positions))
    for position, image, label in zip(positions, together, labels, strict=True):
        alone, its_label = found.batch(slice(position, position + 1))
        assert torch.equal(alone[0], image)
        assert its_label.item() == label.item()


@given(rows=st.lists(st.integers(0, 69), min_size=1, max_size=40), data=st.data())
def test_taking_and_batching_is_indexing(rows: list[int], data: st.DataObject) -> None:
    found = images(70, 8)
    taken = found.take(torch.tensor(rows))
    assert len(taken) == len(rows)
    deeper = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=10))
    everything, labels = found.batch(slice(None))
    for part, its_rows in (
        (taken.batch(slice(None)), rows),
        (taken.batch(slice(3, 7)), rows[3:7]),
        (taken.batch(torch.tensor(deeper)), [rows[position] for position in deeper]),
        (taken.take(torch.tensor(deeper)).batch(slice(None)), [rows[position] for position in deeper]),
    ):
        assert torch.equal(part[0], everything[its_rows])
        assert torch.equal(part[1], labels[its_rows])


@pytest.mark.parametrize("size", SIZES)
def test_a_batch_is_what_pytorch_makes_of_standardised_floats(size: int) -> None:
    """Resizing and standardising are both linear, so that their order is one of speed alone."""
    pixels = drawn(40)
    made, _ = images(40, size).batch(slice(None))
    floats = pixels.double() / 255
    standard = (floats - floats.mean((0, 2, 3), keepdim=True)) / floats.std(
        (0, 2, 3), keepdim=True, correction=0
    )
    wanted = torch.nn.functional.interpolate(standard, (size, size), mode="bilinear", antialias=True)
    assert made.shape == (40, 3, size, size)
    assert made.dtype == torch.float32
    torch.testing.assert_close(made.double(), wanted, atol=2e-6, rtol=0)


def test_batches_leave_the_raw_images_as_they_were() -> None:
    """Floats too, which need no conversion that would copy them."""
    raw = torch.rand(6, 1, 8, 8)
    before = raw.clone()
    development, _ = standardized((raw, torch.zeros(6)), (raw, torch.zeros(6)), 8)
    development.batch(slice(None))
    assert torch.equal(raw, before)


def test_both_parts_are_standardised_by_the_development_images_alone() -> None:
    dark, bright = torch.full((9, 1, 4, 4), 10, dtype=torch.uint8), torch.full((9, 1, 4, 4), 200)
    dark[:, :, 0] = 50
    development, test = standardized((dark, torch.zeros(9)), (bright, torch.zeros(9)), 4)
    assert development.batch(slice(None))[0].mean().item() == pytest.approx(0, abs=1e-6)
    assert test.batch(slice(None))[0].mean().item() == pytest.approx((200 - 20) / 300**0.5, rel=1e-6)


def test_a_channel_without_contrast_stays_finite() -> None:
    flat = torch.full((22, 1, 7, 7), 0.1)
    development, _ = standardized((flat, torch.zeros(22)), (flat, torch.zeros(22)), 5)
    assert development.batch(slice(None))[0].abs().max().item() < 1e-6


@given(count=st.integers(1, 3), channels=st.integers(1, 3), seed=st.integers(0, 2**30))
def test_moments_are_numpys_over_all_chunks(count: int, channels: int, seed: int) -> None:
    """Images larger and smaller than a chunk."""
    generator = np.random.default_rng(seed)
    for side, images_ in ((600, count), (7, 40 * count)):
        pixels = generator.integers(0, 256, (images_, channels, side, side), dtype=np.uint8)
        mean, deviation = moments(torch.from_numpy(pixels))
        np.testing.assert_allclose(mean, pixels.mean((0, 2, 3)), rtol=1e-14)
        np.testing.assert_allclose(deviation, pixels.std((0, 2, 3)), rtol=1e-12)


@pytest.mark.parametrize("size", [7, 16, 23])
def test_a_resized_mask_has_no_label_between_two_neighbours(size: int) -> None:
    labels = 100 * torch.randint(3, (5, 16, 16), generator=torch.Generator().manual_seed(0))
    resized = resized_labels(labels.to(torch.uint8), size)
    assert resized.shape == (5, size, size)
    assert set(resized.unique().tolist()) == {0, 100, 200}

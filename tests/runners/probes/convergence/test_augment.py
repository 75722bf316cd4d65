"""What is done to training images: masks go where their pixels go, and no class is mixed with another."""

import pytest
import torch
from torch import Tensor

from runners.probes.convergence.augment import augment

KINDS = ["none", "shift", "flip", "shift+flip", "crop+flip"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scenes() -> tuple[Tensor, Tensor]:
    """Images whose two channels are their labels, in patches of 8 pixels."""
    labels = torch.randint(5, (6, 4, 4), generator=generator(1))
    labels = labels.repeat_interleave(8, 1).repeat_interleave(8, 2)
    return torch.stack([labels, labels], 1).float(), labels


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_pixels_go_where_their_pixels_go(kind: str) -> None:
    images, labels = scenes()
    moved, masks = augment(images, labels, kind, generator())
    assert masks.dtype == torch.int64
    assert masks.shape == labels.shape
    assert moved.shape == images.shape
    assert set(masks.unique().tolist()) <= set(range(5))
    if "crop" not in kind:
        assert torch.equal(moved[:, 0], masks.float())
    else:  # bilinear: exact but at the patches' edges
        assert (moved[:, 0] - masks).abs().mean() < 0.25
        assert ((moved[:, 0] - masks).abs() < 1e-4).float().mean() > 0.6
    assert torch.equal(masks, labels) == (kind == "none")


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_changed_alike_whether_pixels_or_images_have_labels(kind: str) -> None:
    images, labels = scenes()
    of_images = torch.arange(6)
    moved, kept = augment(images, of_images, kind, generator())
    assert kept is of_images
    torch.testing.assert_close(augment(images, labels, kind, generator())[0], moved)


def test_a_shift_is_by_whole_pixels_up_to_an_eighth_and_a_flip_mirrors_half() -> None:
    images = torch.arange(32.0).expand(2000, 1, 32, 32).contiguous()  # each row counts its columns
    moved, _ = augment(images, torch.zeros(2000), "shift", generator())
    by = (moved[:, 0, 16, 16] - 16).unique(return_counts=True)
    assert by[0].tolist() == list(range(-4, 5))
    assert by[1].min() > 2000 / 9 / 1.4, "all of them as often"
    mirrored, _ = augment(images, torch.zeros(2000), "flip", generator())
    turned = (mirrored[:, 0, 0, 0] == 31).float().mean().item()
    assert turned == pytest.approx(0.5, abs=0.05)
    assert torch.equal(mirrored[mirrored[:, 0, 0, 0] == 31][0], images[0].flip(2))


def test_an_enlarged_mask_has_no_label_between_two_neighbours() -> None:
    images, labels = scenes()
    _, masks = augment(images, 50 * labels, "crop+flip", generator())
    assert set(masks.unique().tolist()) <= {0, 50, 100, 150, 200}

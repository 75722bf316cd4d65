"""Scenes made from digits: each digit in one of them alone, its pixels labelled, whatever the noise."""

import torch

from runners.datasets import digits, scenes
from runners.datasets.scenes import DIGIT_SIDES, DIGITS, INK, NOISE, SIDE


def test_each_digit_is_in_one_scene_alone_at_its_size_and_under_its_label() -> None:
    """Of digits that are full of ink, each a shade of its own, which is found again under the noise."""
    shades = torch.arange(INK, 16)
    labels = torch.arange(len(shades)) % 10
    shown, classes = scenes._scenes(shades[:, None, None].expand(-1, 8, 8).to(torch.uint8), labels, 5)
    assert len(shown) == len(shades) // DIGITS
    seen = []
    for scene, of_pixels in zip(shown[:, 0].float(), classes, strict=True):
        quarters = [(top, left) for top in (0, SIDE // 2) for left in (0, SIDE // 2)]
        for top, left in quarters:
            part = of_pixels[top : top + SIDE // 2, left : left + SIDE // 2]
            ink = scene[top : top + SIDE // 2, left : left + SIDE // 2][part > 0]
            if not len(ink):
                continue
            rows, columns = (part.any(axis).nonzero() for axis in (1, 0))
            side = int(rows.max() - rows.min()) + 1
            assert side == int(columns.max() - columns.min()) + 1
            assert DIGIT_SIDES[0] <= side <= DIGIT_SIDES[1]
            assert (part > 0).sum() == side**2
            shade = round((ink.mean().item() - 30) / 12)
            assert set(part[part > 0].tolist()) == {int(labels[shades == shade]) + 1}
            seen.append(shade)
    assert sorted(seen) == shades.tolist()


def test_development_and_test_scenes_are_made_of_the_digits_of_either_part() -> None:
    development, test = scenes.DATASET.load(SIDE)
    (_, training_labels), (_, test_labels) = digits.parts()
    for images, labels in ((development, training_labels), (test, test_labels)):
        assert len(images) == len(labels) // DIGITS
        present = [set(one.unique().tolist()) - {0} for one in images.labels]
        assert all(1 <= len(found) <= DIGITS for found in present)
        share = (images.labels > 0).float().mean().item()
        assert 0.15 < share < 0.35, "most of a scene is background"


def test_ink_is_seen_through_the_noise() -> None:
    development, _ = scenes.DATASET.load(SIDE)
    pixels = development.pixels[:, 0].float()
    ink, ground = (pixels[kind].mean().item() for kind in (development.labels > 0, development.labels == 0))
    spread = pixels[development.labels == 0].std().item()
    assert ink - ground > 2 * spread
    assert spread > 0.8 * 12 * NOISE

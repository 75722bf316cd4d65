"""Scenes of several digits with a label for each pixel: embedded, so that every machine can segment images.

Each of scikit-learn's digits is in one scene alone, so that scenes set apart for validation or testing show
digits that nobody trained on.
"""

from typing import TYPE_CHECKING

from runners.datasets import Dataset, digits

if TYPE_CHECKING:
    from torch import Tensor

    from runners.images import Images

SIDE = 96
"""Pixels of a scene's side."""
DIGITS = 3
"""In each scene."""
DIGIT_SIDES = (32, 48)
"""Pixels of a digit's side, drawn between; at most half of the scene's, so that they lie apart."""
INK = 4
"""Of 16: from there on a pixel belongs to its digit."""
NOISE = 1.5
"""Standard deviation of what is added to each pixel, in units of ink."""
CLASSES = 11
"""Background, then the digits 0 to 9."""

_DRAWS = (1, 2)
"""Seeds of the development and of the test scenes, which no study changes."""


def _scenes(pixels: "Tensor", labels: "Tensor", seed: int) -> "tuple[Tensor, Tensor]":
    """Scenes (N, 1, SIDE, SIDE) and the classes of their pixels (N, SIDE, SIDE), both uint8.

    Args:
        pixels: Digits (n, 8, 8) of 0 to 16; each is in one scene, and what is left over in none.
        labels: 0 to 9 (n,).
        seed: Of the order, places, sizes and noise.
    """
    import torch

    from runners.images import resize

    draw = torch.Generator().manual_seed(seed)
    count = len(labels) // DIGITS
    order = torch.randperm(len(labels), generator=draw)[: count * DIGITS].reshape(count, DIGITS)
    scenes = torch.zeros(count, SIDE, SIDE)
    classes = torch.zeros(count, SIDE, SIDE, dtype=torch.uint8)
    half = SIDE // 2
    for scene, members in enumerate(order):
        quarters = torch.randperm(4, generator=draw)[:DIGITS]
        for digit, quarter in zip(members.tolist(), quarters.tolist(), strict=True):
            side = int(torch.randint(DIGIT_SIDES[0], DIGIT_SIDES[1] + 1, (1,), generator=draw))
            shift = torch.randint(half - side + 1, (2,), generator=draw).tolist()
            top, left = half * (quarter // 2) + shift[0], half * (quarter % 2) + shift[1]
            place = (scene, slice(top, top + side), slice(left, left + side))
            shown = resize(pixels[digit][None, None].float(), side)[0, 0]
            scenes[place] = shown
            classes[place] = torch.where(shown >= INK, labels[digit] + 1, 0).to(torch.uint8)
    scenes += NOISE * torch.randn(scenes.shape, generator=draw)
    return scenes.mul(12).add(30).clamp(0, 255).round().to(torch.uint8)[:, None], classes


def _load(image_size: int) -> "tuple[Images, Images]":
    from runners.images import standardized

    parts = zip(_DRAWS, digits.parts(), strict=True)
    development, test = (_scenes(pixels[:, 0], labels, seed) for seed, (pixels, labels) in parts)
    return standardized(development, test, image_size)


DATASET = Dataset(
    name="scenes",
    summary="598 scenes of three digits each on noise, every pixel labelled; made from scikit-learn's digits",
    in_channels=1,
    num_classes=CLASSES,
    development_size=digits.DATASET.development_size // DIGITS,
    load=_load,
    unavailable=lambda: None,
    native_size=(SIDE, SIDE),
    test_size=digits.TEST_SIZE // DIGITS,
    license=digits.DATASET.license,
    source=f"the digits of {digits.DATASET.source}",
    checksums=digits.DATASET.checksums,
    inspect=digits.DATASET.inspect,
    per_pixel=True,
)

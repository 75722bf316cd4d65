"""Handwritten digits of scikit-learn: embedded in the package, so that every machine has real images."""

from typing import TYPE_CHECKING

from runners.datasets import Dataset

if TYPE_CHECKING:
    from runners.images import Images

TEST_FRACTION = 0.2
"""Of the 1,797 images; drawn once, class by class, with a seed that no study changes."""


def _load(image_size: int) -> "tuple[Images, Images]":
    import torch
    from sklearn.datasets import load_digits

    from runners.images import standardized, stratified_split

    raw = load_digits()
    images = torch.from_numpy(raw.images).to(torch.uint8).unsqueeze(1)
    labels = torch.from_numpy(raw.target)
    development, test = stratified_split(labels, TEST_FRACTION, torch.Generator().manual_seed(0))
    return standardized((images[development], labels[development]), (images[test], labels[test]), image_size)


DATASET = Dataset(
    name="digits",
    summary="1,797 handwritten digits of 8x8 pixels in grey, enlarged (bilinear); embedded in scikit-learn"
    " (UCI optical recognition of handwritten digits)",
    in_channels=1,
    num_classes=10,
    development_size=1438,
    load=_load,
    unavailable=lambda: None,
)

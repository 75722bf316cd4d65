"""A data set of your own. For a folder of images none is needed: `--dataset folder:PATH`."""

import torch

from runners.datasets import Dataset
from runners.images import Images, standardized

DEVELOPMENT, TEST, SIDE = 600, 600, 16


def load(image_size: int) -> tuple[Images, Images]:
    """Images (N, 1, 16, 16), uint8, of stripes that lie (0) or stand (1), for development and for testing.

    The same ones each time, whatever was drawn before: the test images are fixed.
    """
    drawing = torch.Generator().manual_seed(0)
    labels = torch.arange(DEVELOPMENT + TEST) % 2
    stripes = (torch.arange(SIDE) // 2 % 2 * 60).expand(SIDE, SIDE)
    images = torch.stack([stripes if label else stripes.T for label in labels]).unsqueeze(1)
    images = (images + torch.randint(0, 196, images.shape, generator=drawing)).to(torch.uint8)
    development, test = slice(0, DEVELOPMENT), slice(DEVELOPMENT, None)
    return standardized((images[development], labels[development]), (images[test], labels[test]), image_size)


DATASET = Dataset(
    name="stripes",
    summary="noisy stripes that lie or stand",
    in_channels=1,
    num_classes=2,
    development_size=DEVELOPMENT,
    test_size=TEST,
    native_size=(SIDE, SIDE),
    load=load,
    unavailable=lambda: None,  # or a line that says how to get it
    license="CC0",
)

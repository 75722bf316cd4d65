"""Handwritten digits of scikit-learn: embedded in the package, so that every machine has real images."""

from typing import TYPE_CHECKING

from runners.data_files import verify
from runners.datasets import Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from runners.images import Images

TEST_FRACTION = 0.4
"""Of the 1,797 images; drawn once, class by class, with a seed that no study changes."""

TEST_SIZE = 719

_CHECKSUMS = {
    "images": "sha256:8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3",
    "target": "sha256:8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0",
}
"""Of the arrays as unsigned bytes."""


def _arrays() -> "tuple[Tensor, Tensor]":
    """Images (1797, 8, 8) of 0 to 16 and labels (1797,), both uint8.

    Raises:
        BadInput: They are not those that they should be.
    """
    from pathlib import Path

    import sklearn
    import torch
    from sklearn.datasets import load_digits

    raw = load_digits()
    arrays = {name: raw[name].astype("uint8") for name in _CHECKSUMS}
    for name, array in arrays.items():
        place = Path(sklearn.__file__).parent / "datasets" / "data" / "digits.csv.gz"
        verify(array.tobytes(), place, _CHECKSUMS[name], "run pip install --force-reinstall scikit-learn")
    return torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["target"])


def _inspect() -> None:
    _arrays()


def parts() -> "tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]":
    """Images (n, 1, 8, 8), uint8, and labels (n,), int64: for development and for testing."""
    import torch

    from runners.images import stratified_split

    pixels, numbers = _arrays()
    images, labels = pixels.unsqueeze(1), numbers.long()
    development, test = stratified_split(labels, TEST_FRACTION, torch.Generator().manual_seed(0))
    return (images[development], labels[development]), (images[test], labels[test])


def _load(image_size: int) -> "tuple[Images, Images]":
    from runners.images import standardized

    return standardized(*parts(), image_size)


DATASET = Dataset(
    name="digits",
    summary="1,797 handwritten digits in grey, two fifths of them for testing; embedded in scikit-learn",
    in_channels=1,
    num_classes=10,
    development_size=1078,
    load=_load,
    unavailable=lambda: None,
    native_size=(8, 8),
    test_size=TEST_SIZE,
    license="CC BY 4.0",
    source="Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49",
    checksums=_CHECKSUMS,
    inspect=_inspect,
)

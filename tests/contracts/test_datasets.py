"""What every registered data set keeps to, newcomers included; one that is not here says how to get it."""

import re

import pytest
import torch

from runners import datasets
from runners.datasets import IGNORED, Dataset
from runners.images import Images

DATASETS = datasets.datasets()
each_dataset = pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
SIZE = 20


def loaded(dataset: Dataset) -> tuple[Images, Images]:
    if (reason := dataset.unavailable()) is not None:
        pytest.skip(reason)
    return dataset.load(SIZE)


@each_dataset
def test_a_data_set_says_what_it_is(dataset: Dataset) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", dataset.name)
    assert dataset.summary
    assert len(dataset.summary.splitlines()) == 1
    assert dataset.in_channels >= 1
    assert dataset.num_classes >= 2
    assert dataset.development_size >= dataset.num_classes
    assert dataset.test_size is None or dataset.test_size >= dataset.num_classes
    assert dataset.native_size is None or min(dataset.native_size) >= 1


@each_dataset
def test_what_comes_with_the_suite_says_what_it_may_be_used_for_and_can_be_checked(dataset: Dataset) -> None:
    for told in (dataset.license, dataset.source):
        assert told.strip() not in {"", "not stated"}
        assert len(told.splitlines()) == 1
    assert dataset.native_size is not None
    assert dataset.test_size is not None
    assert dataset.checksums
    for checksum in dataset.checksums.values():
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", checksum)


@each_dataset
def test_a_data_set_is_here_or_says_in_a_line_what_to_do(dataset: Dataset) -> None:
    reason = dataset.unavailable()
    if reason is None:
        dataset.inspect()
        dataset.load(SIZE)
        return
    assert dataset.name in reason
    assert len(reason.splitlines()) == 1
    with pytest.raises(ValueError, match=re.escape(reason)):
        dataset.load(SIZE)


@each_dataset
def test_it_holds_what_it_says(dataset: Dataset) -> None:
    development, test = loaded(dataset)
    assert len(development) == dataset.development_size
    assert dataset.test_size in {len(test), None}
    for part in (development, test):
        assert dataset.native_size in {part.pixels.shape[2:], None}
        assert len(part.pixels) == len(part)
        of_pixels = tuple(part.pixels.shape[2:]) if dataset.per_pixel else ()
        assert part.labels.shape == (len(part), *of_pixels)
        assert part.labels.dtype == (torch.uint8 if dataset.per_pixel else torch.int64)
        classes = set(part.labels.unique().tolist()) - ({IGNORED} if dataset.per_pixel else set())
        assert classes == set(range(dataset.num_classes)), "every class, in both parts"
        for positions in (slice(0, 3), torch.tensor([0, len(part) - 1, 1])):
            images, labels = part.batch(positions)
            assert images.shape == (3, dataset.in_channels, SIZE, SIZE)
            assert images.dtype == torch.float32
            assert images.isfinite().all()
            assert labels.dtype == torch.int64
            if dataset.per_pixel:
                assert labels.shape == (3, SIZE, SIZE)
                assert set(labels.unique().tolist()) <= {*classes, IGNORED}, "resizing mixes no classes"
            else:
                assert torch.equal(labels, part.labels[positions])


@each_dataset
def test_images_are_standardised_by_the_development_images_alone(dataset: Dataset) -> None:
    """At the size that they have: resizing takes away contrast."""
    size = loaded(dataset)[0].pixels.shape[-1]
    development, test = dataset.load(size)
    pixels, _ = development.batch(slice(None))
    for channel in range(dataset.in_channels):
        assert pixels[:, channel].double().mean().item() == pytest.approx(0, abs=1e-5)
        assert pixels[:, channel].double().std().item() == pytest.approx(1, abs=1e-5)
    assert test.batch(slice(None))[0].mean().abs().item() > 1e-6, "the test images' own mean was taken out"


@each_dataset
def test_the_test_set_is_fixed_whatever_was_drawn_before_and_whatever_the_size(dataset: Dataset) -> None:
    (_, first) = loaded(dataset)
    torch.manual_seed(17)
    torch.rand(17)
    _, again = dataset.load(SIZE)
    _, larger = dataset.load(SIZE + 4)
    for other in (again, larger):
        assert torch.equal(first.pixels, other.pixels)
        assert torch.equal(first.labels, other.labels)


@each_dataset
def test_no_test_image_is_a_development_image(dataset: Dataset) -> None:
    """Real collections hold a few photographs twice; a split that leaks holds many."""
    development, test = loaded(dataset)
    seen = {image.numpy().tobytes() for image in development.pixels}
    twice = sum(image.numpy().tobytes() in seen for image in test.pixels)
    assert twice <= 0.01 * len(test)


@each_dataset
def test_loading_leaves_the_random_state_alone(dataset: Dataset) -> None:
    before = torch.get_rng_state()
    loaded(dataset)
    assert torch.equal(torch.get_rng_state(), before)

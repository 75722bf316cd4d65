"""Folders of images with masks: found, looked through, told, and decoded pixel by pixel."""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from runners import datasets, folders, study
from runners.datasets import IGNORED
from runners.errors import BadInput
from runners.folders import decoded
from runners.images import Images
from runners.plan import plan

SIZE = 16
COUNT = 10
LABELS = 3


def save(path: Path, pixels: NDArray[np.uint8], mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if mode == "P":  # as VOC's: places in a palette of colours
        image = Image.frombytes("P", image.size, image.tobytes())
        image.putpalette([component for label in range(256) for component in (label, 255 - label, 7)])
    image.save(path)


def drawn(seed: int, side: int = SIZE, labels: tuple[int, ...] = (0, 1, 2)) -> tuple[NDArray[np.uint8], ...]:
    """An image in colour and its labels."""
    draw = np.random.default_rng(seed)
    mask = draw.choice(np.array(labels, np.uint8), (side, side))
    return draw.integers(0, 256, (side, side, 3), dtype=np.uint8), mask


def make(path: Path, parts: Mapping[str, int], labels: tuple[int, ...] = (0, 1, 2), mode: str = "L") -> Path:
    """Folders of images and masks, by part."""
    for part, count in parts.items():
        for number in range(count):
            image, mask = drawn(len(part) + 100 * number, labels=labels)
            save(path / part / "images" / f"{number}.png", image)
            save(path / part / "masks" / f"{number}.png", mask, mode)
    return path


def loaded(path: Path) -> tuple[datasets.Dataset, tuple[Images, Images]]:
    name = f"folder:{path}"
    return datasets.get(name), decoded.load(folders.carried(name), SIZE, None)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_each_pixel_has_the_label_of_its_mask(tmp_path: Path, mode: str) -> None:
    path = make(tmp_path / "cells", {".": COUNT}, (0, 1, 2, IGNORED), mode)
    dataset, parts = loaded(path)
    assert (dataset.per_pixel, dataset.num_classes, dataset.in_channels) == (True, LABELS, 3)
    assert [len(part) for part in parts] == [dataset.development_size, dataset.test_size] == [8, 2]
    found = {}
    for part in parts:
        assert part.rows is not None
        for place, row in enumerate(part.rows.tolist()):
            found[row] = part.pixels[row], part.labels[place]
    assert len(found) == COUNT
    for row, (pixels, labels) in found.items():
        image, mask = drawn(1 + 100 * row, labels=(0, 1, 2, IGNORED))
        assert torch.equal(pixels, torch.from_numpy(image).permute(2, 0, 1))
        assert torch.equal(labels, torch.from_numpy(mask))


def test_what_is_kept_on_disk_is_what_was_decoded(tmp_path: Path) -> None:
    folder = folders.carried(f"folder:{make(tmp_path / 'cells', {'.': COUNT})}")
    in_memory, written, read = (decoded.load(folder, 8, run) for run in (None, tmp_path, tmp_path))
    for parts in zip(in_memory, written, read, strict=True):
        batches = [part.batch(slice(None)) for part in parts]
        assert batches[0][1].shape[1:] == (8, 8)
        for other in batches[1:]:
            assert all(torch.equal(mine, its) for mine, its in zip(batches[0], other, strict=True))


def test_the_middle_square_of_image_and_mask_are_the_same_pixels(tmp_path: Path) -> None:
    """A mask that repeats its grey image comes out as the image does, where nothing is resized."""
    for number in range(4):
        wide = np.random.default_rng(number).integers(0, 9, (SIZE, 2 * SIZE), dtype=np.uint8)
        save(tmp_path / "wide" / "images" / f"{number}.png", wide)
        save(tmp_path / "wide" / "masks" / f"{number}.png", wide)
    _, parts = loaded(tmp_path / "wide")
    for part in parts:
        assert part.rows is not None
        assert torch.equal(part.pixels[part.rows][:, 0], part.labels)


def test_train_and_test_are_taken_as_given(tmp_path: Path) -> None:
    dataset, _ = loaded(make(tmp_path / "cells", {"train": 5, "test": 3}))
    assert (dataset.development_size, dataset.test_size) == (5, 3)
    assert dataset.summary.endswith("3 for testing, as given")


def test_pascal_voc_is_read_by_its_lists(tmp_path: Path) -> None:
    path = tmp_path / "VOC2012"
    lists = path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for name, numbers in {"train": range(5), "val": range(5, 8)}.items():
        (lists / f"{name}.txt").write_text("".join(f"2007_{number:06}\n" for number in numbers))
        for number in numbers:
            image, mask = drawn(number, labels=(*range(21), IGNORED))
            save(path / "JPEGImages" / f"2007_{number:06}.jpg", image)
            save(path / "SegmentationClass" / f"2007_{number:06}.png", mask, "P")
    image, _ = drawn(99)
    save(path / "JPEGImages" / "2008_000001.jpg", image)  # one for detection alone
    dataset, _ = loaded(path)
    assert (dataset.num_classes, dataset.development_size, dataset.test_size) == (21, 5, 3)
    assert dataset.warnings == ()
    (lists / "val.txt").unlink()
    with pytest.raises(BadInput, match=r"no list .*val\.txt; expected the names of the images in it"):
        datasets.get(f"folder:{path}")


def test_masks_of_0_and_255_have_a_foreground_and_it_is_said(tmp_path: Path) -> None:
    dataset, parts = loaded(make(tmp_path / "cells", {".": COUNT}, (0, 255)))
    assert dataset.num_classes == 2
    assert set(parts[0].labels.unique().tolist()) == {0, 1}
    assert dataset.warnings == (
        "masks hold 0 and 255 alone: 255 is class 1, not a pixel that does not count",
    )
    assert "masks of 2 classes (0 " in dataset.summary


def test_what_does_not_go_together_is_left_out_and_named(tmp_path: Path) -> None:
    path = make(tmp_path / "cells", {".": COUNT})
    (path / "masks" / "3.png").unlink()
    save(path / "masks" / "4.png", drawn(4)[0])  # in colour
    save(path / "masks" / "5.png", drawn(5, side=SIZE + 1)[1])
    (path / "masks" / "6.png").write_bytes(b"no image")
    dataset, _ = loaded(path)
    assert dataset.development_size + (dataset.test_size or 0) == COUNT - 4
    assert set(dataset.warnings) == {
        "1 image left out for want of a mask, e.g. images/3.png",
        "images/4.png is left out: its mask 4.png has pixels of kind RGB; expected one label a pixel (grey or"
        " palette, up to 255)",
        "images/5.png is left out: its mask 5.png is of 17x17 pixels, it is of 16x16",
        "images/6.png is left out: its mask 6.png: no image that can be read",
    }


def test_nothing_that_goes_together_is_one_line(tmp_path: Path) -> None:
    path = make(tmp_path / "cells", {".": 2})
    for number in range(2):
        (path / "masks" / f"{number}.png").rename(path / "masks" / f"mask-{number}.png")
    with pytest.raises(BadInput, match=r"is named like one in .*; expected images/a\.jpg and masks/a\.png$"):
        datasets.get(f"folder:{path}")
    three = make(tmp_path / "three", {".": 3})  # of which two are left when one is for testing
    with pytest.raises(BadInput, match="2 images with a mask for training; expected 3 for training"):
        datasets.get(f"folder:{three}")
    one = make(tmp_path / "one", {".": 1})
    with pytest.raises(
        BadInput, match="0 images with a mask for training; expected 3 for training, of which some validate"
    ):
        datasets.get(f"folder:{one}")


def test_another_mask_is_another_data_set(tmp_path: Path) -> None:
    path = make(tmp_path / "cells", {".": COUNT})
    before = datasets.get(f"folder:{path}").name
    save(path / "masks" / "0.png", drawn(12345)[1])
    assert datasets.get(f"folder:{path}").name != before


def test_networks_that_label_pixels_train_on_it_and_others_are_told(tmp_path: Path) -> None:
    make(tmp_path / "cells", {".": COUNT})
    text = (
        '[[workloads]]\nkind = "convergence"\ndataset = "folder:cells"\nimage_size = 17\n'
        "levels = { depth = 18, width = 4 }\nvalidation_images = 10\n"
    )
    (tmp_path / "pixels.toml").write_text(
        f'architecture = "pspnet"\nfactors.pyramid = ["1-2-3-6", "none"]\n{text}'
    )
    planned = plan(study.load(str(tmp_path / "pixels.toml")))
    trained = [arm for trial in planned.trials if trial.folder is not None for arm in trial.arms]
    assert trained
    assert all("num_classes=3" in arm.variant for arm in trained)
    (tmp_path / "images.toml").write_text(
        f'architecture = "resnet"\nfactors.stem = ["shallow", "deep32"]\n{text}'
    )
    with pytest.raises(BadInput, match="labels pixels, and resnet gives one answer an image"):
        study.load(str(tmp_path / "images.toml"))


def test_a_smaller_mask_has_no_label_between_two_neighbours(tmp_path: Path) -> None:
    path = make(tmp_path / "cells", {".": COUNT}, (0, 100, 200))
    parts = decoded.load(folders.carried(f"folder:{path}"), 7, None)
    assert set(parts[0].labels.unique().tolist()) == {0, 100, 200}


def test_the_summary_counts_pixels(tmp_path: Path) -> None:
    for number in range(4):  # three quarters without a label; of the others two thirds are background
        mask = np.full((12, 12), IGNORED, np.uint8)
        mask[:2], mask[2] = 0, 1
        save(tmp_path / "few" / "images" / f"{number}.png", drawn(number, side=12)[0])
        save(tmp_path / "few" / "masks" / f"{number}.png", mask)
    said = "masks of 2 classes (0 67 %, 1 33 % of the pixels), 75.0 % without a label"
    assert said in datasets.get(f"folder:{tmp_path / 'few'}").summary


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_mask_of_few_bits_has_the_labels_that_were_written(tmp_path: Path, bits: int) -> None:
    labels = tuple(range(min(2**bits, 4)))
    for number in range(8):
        image, mask = drawn(number, labels=labels)
        save(tmp_path / "few" / "images" / f"{number}.png", image)
        path = tmp_path / "few" / "masks" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(mask, bits))
    dataset, parts = loaded(tmp_path / "few")
    assert dataset.num_classes == len(labels)
    for part in parts:
        assert part.rows is not None
        for place, row in enumerate(part.rows.tolist()):
            assert torch.equal(part.labels[place], torch.from_numpy(drawn(row, labels=labels)[1]))


def png(pixels: NDArray[np.uint8], bits: int) -> bytes:
    """A grey PNG of so many bits a pixel, written by hand."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    height, width = pixels.shape
    spread = (pixels[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    rows = b"".join(b"\0" + np.packbits(row.reshape(-1)).tobytes() for row in spread.astype(np.uint8))
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_flags_of_both_spellings_are_one_class(tmp_path: Path) -> None:
    for number in range(8):
        image, mask = drawn(number, labels=(0, 1) if number % 2 else (0, 255))
        save(tmp_path / "mixed" / "images" / f"{number}.png", image)
        save(tmp_path / "mixed" / "masks" / f"{number}.png", mask)
    dataset, parts = loaded(tmp_path / "mixed")
    assert dataset.num_classes == 2
    assert set(parts[0].labels.unique().tolist()) == {0, 1}


def test_sixteen_bits_are_labels_and_gaps_are_told(tmp_path: Path) -> None:
    for number in range(6):
        image, mask = drawn(number, labels=(0, 5))
        save(tmp_path / "deep" / "images" / f"{number}.png", image)
        path = tmp_path / "deep" / "masks" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(mask.astype(np.uint16)).save(path)
    dataset, _ = loaded(tmp_path / "deep")
    assert dataset.num_classes == 6
    assert dataset.warnings == (
        "4 of the labels below 5 never occur, e.g. 1: networks have an output for each of 6",
    )

"""One image file: its pixels as people see them, or why it cannot be used."""

import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image
from torchvision.transforms import v2

from runners.folders import pictures


def drawn(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    """As photographs are: neighbours are alike."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 17 + 2 * channel) * np.cos(y / (13 + channel)) for channel in range(3)]
    return np.asarray(127 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)


def decoded(path: Path, size: int, channels: int = 3) -> NDArray[np.uint8]:
    """(channels, size, size)."""
    picture, pixels = pictures.decode(path, size, channels)
    assert picture.wrong is None
    assert pixels is not None
    assert pictures.look(path) == picture
    return pixels


@pytest.mark.parametrize("ending", ["png", "bmp", "ppm", "tiff", "webp"])
def test_every_lossless_format_gives_its_pixels(tmp_path: Path, ending: str) -> None:
    pixels = drawn(16, 16, 3)
    Image.fromarray(pixels).save(tmp_path / f"a.{ending}", lossless=True)  # a word to WebP alone
    assert np.array_equal(decoded(tmp_path / f"a.{ending}", 16), pixels.transpose(2, 0, 1))
    assert pictures.look(tmp_path / f"a.{ending}").size == (16, 16)


def test_grey_is_told_from_colour_and_keeps_its_16_bits(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 2**16, (16, 16), dtype=np.uint16)
    grey = (deep / 257).round().astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(tmp_path / "colour.png")
    for name in ("grey", "deep"):
        assert pictures.look(tmp_path / f"{name}.png").grey
        assert np.array_equal(decoded(tmp_path / f"{name}.png", 16, 1), grey[None])
        assert np.array_equal(decoded(tmp_path / f"{name}.png", 16), np.stack([grey] * 3))
    assert not pictures.look(tmp_path / "colour.png").grey


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_camera_noted(tmp_path: Path, orientation: int) -> None:
    """What each orientation does to rows and columns, by the Exif standard."""
    upright = smooth(24, 40)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(decoded(tmp_path / "a.png", 24), upright[:, 8:32].transpose(2, 0, 1))
    assert pictures.look(tmp_path / "a.png").size == (40, 24)


@pytest.mark.parametrize(
    ("height", "width", "size"), [(40, 60, 20), (60, 40, 20), (40, 40, 80), (30, 50, 30)]
)
def test_the_shorter_side_is_resized_and_the_middle_taken_as_torchvision_does(
    tmp_path: Path, height: int, width: int, size: int
) -> None:
    image = Image.fromarray(smooth(height, width))
    image.save(tmp_path / "a.png")
    usual = v2.Compose([v2.Resize(size), v2.CenterCrop(size)])
    wanted = np.asarray(usual(image)).transpose(2, 0, 1).astype(int)
    assert np.abs(decoded(tmp_path / "a.png", size) - wanted).max() <= 1


def test_a_large_jpeg_is_decoded_to_what_is_needed_and_looks_the_same(tmp_path: Path) -> None:
    image = Image.fromarray(smooth(1200, 1600))
    image.save(tmp_path / "a.jpg", quality=95)
    image.save(tmp_path / "a.png", compress_level=1)
    difference = decoded(tmp_path / "a.jpg", 64).astype(int) - decoded(tmp_path / "a.png", 64)
    assert np.abs(difference).mean() < 2
    assert pictures.look(tmp_path / "a.jpg").size == (1600, 1200)


def bomb() -> bytes:
    """A PNG file of some bytes that says it is 60,000 pixels wide and high."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(bytes(9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def test_what_cannot_be_used_says_why_in_a_line(tmp_path: Path) -> None:
    Image.fromarray(smooth(200, 200)).save(tmp_path / "whole.jpg")
    Image.fromarray(smooth(200, 200)).save(tmp_path / "whole.png")
    Image.fromarray(drawn(8, 8).astype(np.float32)).save(tmp_path / "fractions.tiff")
    for ending in ("jpg", "png"):
        content = (tmp_path / f"whole.{ending}").read_bytes()
        (tmp_path / f"short.{ending}").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.png").touch()
    (tmp_path / "page.png").write_text("<html>not found</html>")
    (tmp_path / "program.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (tmp_path / "bomb.png").write_bytes(bomb())
    (tmp_path / "folder.png").mkdir()
    for name, why in {
        "short.jpg": "",
        "short.png": "",
        "empty.png": "no image that can be read",
        "page.png": "no image that can be read",
        "program.png": "no image that can be read",
        "fractions.tiff": "its pixels are fractions",
        "bomb.png": "decompression bomb",
        "folder.png": "is a directory",
        "lost.png": "no such file",
    }.items():
        for found in (pictures.look(tmp_path / name), pictures.decode(tmp_path / name, 8, 3)[0]):
            assert found.wrong is not None, name
            assert why in found.wrong
            assert len(found.wrong.splitlines()) == 1
        assert pictures.decode(tmp_path / name, 8, 3)[1] is None


def test_each_keeps_the_order_and_ends_at_once_where_one_fails() -> None:
    def late(item: int) -> int:
        time.sleep(0.001 * (item % 3))
        return item

    assert list(pictures.each(late, range(50), 4)) == list(range(50))

    def work(item: int) -> None:
        time.sleep(0.05)
        if item == 0:
            raise ValueError("planted")

    start = time.monotonic()
    with pytest.raises(ValueError, match="planted"):
        list(pictures.each(work, range(400), 2))
    assert time.monotonic() - start < 5

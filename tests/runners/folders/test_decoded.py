"""Decoded images: the same in memory and on disk, decoded once, again where damaged, never half there."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from results.records.files import StorageError
from runners import datasets, folders
from runners.errors import BadInput
from runners.folder import Folder
from runners.folders import decoded, pictures
from runners.images import Images
from tests.runners.folders.made import PETS, make, truncate

SIZE = 16
ROOT = Path(__file__).parents[3]


@pytest.fixture
def pets(tmp_path: Path) -> Folder:
    """With an image that cannot be read."""
    truncate(make(tmp_path / "pets") / "dog" / "003.png")
    return folders.carried(f"folder:{tmp_path / 'pets'}")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def load(folder: Folder, run: Path | None) -> tuple[Images, Images]:
    return decoded.load(folder, SIZE, run)


def same(one: tuple[Images, Images], other: tuple[Images, Images]) -> bool:
    return all(
        torch.equal(mine, theirs)
        for part, its in zip(one, other, strict=True)
        for mine, theirs in zip(part.batch(slice(None)), its.batch(slice(None)), strict=True)
    )


def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "decode", None)


def test_images_are_those_of_the_files_with_the_labels_of_their_folders(pets: Folder) -> None:
    development, test = load(pets, None)
    assert (len(development), len(test)) == (pets.development_size, pets.test_size)
    assert len(development) + len(test) == sum(PETS.values()) - 1
    for part in (development, test):
        assert part.rows is not None
        for row, label in zip(part.rows.tolist(), part.labels.tolist(), strict=True):
            _, wanted = pictures.decode(file_at(pets, row), SIZE, 3)
            assert wanted is not None
            assert np.array_equal(part.pixels[row].numpy(), wanted)
            assert file_at(pets, row).parent.name == ("cat", "dog", "fox")[label]


def file_at(folder: Folder, row: int) -> Path:
    return sorted(Path(folder.path).rglob("*.png"))[row]


def test_both_parts_are_standardised_by_the_development_images_that_can_be_read(pets: Folder) -> None:
    images, _ = load(pets, None)[0].batch(slice(None))
    assert images.mean((0, 2, 3)).abs().max().item() < 1e-5
    assert torch.allclose(images.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5)


def test_what_is_kept_is_the_same_and_read_from_disk_without_decoding(
    pets: Folder, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(pets, run)
    assert same(first, load(pets, None))
    no_decoding(monkeypatch)
    again = load(pets, run)
    assert same(first, again)
    maps = Path("/proc/self/maps")
    assert not maps.exists() or f"{run}/data/" in maps.read_text(), "on disk, not in memory"
    assert sorted(path.name for path in (run / "data").iterdir()) == [
        ".lock",
        *(f"{pets.name.removeprefix('folder:')}-16px.{ending}" for ending in ("json", "pixels")),
    ]


def test_each_size_is_decoded_on_its_own(pets: Folder, run: Path) -> None:
    for size in (SIZE, SIZE + 1):
        images, _ = decoded.load(pets, size, run)[1].batch(slice(0, 1))
        assert images.shape == (1, 3, size, size)
    assert len([*(run / "data").glob("*.pixels")]) == 2


@pytest.mark.parametrize("damage", ["a byte", "truncated", "no list", "no pixels", "longer"])
def test_what_was_damaged_is_decoded_again(
    pets: Folder, run: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(pets, None)
    load(pets, run)
    (pixels,), (list_,) = ((run / "data").glob(pattern) for pattern in ("*.pixels", "*.json"))
    content = bytearray(pixels.read_bytes())
    content[-1] ^= 1
    match damage:
        case "a byte":
            pixels.write_bytes(content)
        case "truncated":
            truncate(pixels)
        case "no list":
            truncate(list_)
        case "no pixels":
            pixels.unlink()
        case "longer":
            list_.write_text(list_.read_text().replace('"test": [', '"test": [7.5, '))
    assert same(first, load(pets, run))
    no_decoding(monkeypatch)
    assert same(first, load(pets, run)), "and kept again"


def test_a_folder_that_changed_since_the_plan_is_refused(pets: Folder, run: Path) -> None:
    (Path(pets.path) / "cat" / "000.png").rename(Path(pets.path) / "fox" / "new.png")
    with pytest.raises(BadInput, match=r"pets@[0-9a-f]{12}: .*pets changed since the run was planned"):
        load(pets, run)
    assert [path.name for path in (run / "data").iterdir()] == [".lock"]


def test_what_was_decoded_before_needs_no_folder(pets: Folder, run: Path) -> None:
    first = load(pets, run)
    assert same(first, load(replace(pets, path="/no/such/folder"), run))


def test_a_full_disk_costs_memory_and_nothing_else(
    pets: Folder, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert same(load(pets, run), load(pets, None))
    assert [path.name for path in (run / "data").iterdir()] == [".lock"]


def test_a_link_in_the_run_directory_is_not_written_through(pets: Folder, run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    run.mkdir()
    (run / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="is a link"):
        load(pets, run)
    assert [*(tmp_path / "elsewhere").iterdir()] == []


COUNTING = """
import os, sys, time
from pathlib import Path
from runners import folders
from runners.folders import decoded, pictures

decode, notes = pictures.decode, Path(sys.argv[2])

def noted(path, size, channels):
    time.sleep(0.02)
    with (notes / "decoded").open("a") as file:
        file.write(f"{path}\\n")
    return decode(path, size, channels)

pictures.decode = noted
folder = folders.carried(sys.argv[1])
(notes / f"ready-{os.getpid()}").touch()
while len([*notes.glob("ready-*")]) < 3:
    time.sleep(0.005)
development, _ = decoded.load(folder, 16, Path(sys.argv[3]))
print(development.batch(slice(None))[0].double().sum().item())
"""


def test_of_several_processes_one_decodes_and_all_read_the_same(
    pets: Folder, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    command = [sys.executable, "-c", COUNTING, f"folder:{pets.path}", str(tmp_path / "notes"), str(run)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(3)]
    told = {process.communicate(timeout=120)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(told) == 1
    assert len((tmp_path / "notes" / "decoded").read_text().splitlines()) == sum(PETS.values())


def test_a_trials_process_reads_it_by_the_name_alone(pets: Folder, run: Path) -> None:
    """As `execute` does; nothing is looked through."""
    assert datasets.get(pets.name).load(SIZE)[0].pixels.shape[0] == sum(PETS.values())
    folders.arrived(replace(pets, path="/no/such/folder"), run)
    load(pets, run)
    assert same(datasets.get(pets.name).load(SIZE), load(pets, None))

"""Which files of a folder are its images, and what is said where there are none."""

import shutil
from pathlib import Path

import pytest

from runners.errors import BadInput
from runners.folders import tree
from tests.runners.folders.made import make


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        tree.read(path, "data set 'x'")
    (line,) = caught.value.lines
    return line.removeprefix("data set 'x': ")


def test_classes_and_files_are_in_order_and_what_is_hidden_or_no_image_is_left_out(tmp_path: Path) -> None:
    for file in (
        *("dog/b.JPG", "dog/a.png", "dog/deeper/c.webp", "cat/z.jpeg", "cat/.DS_Store", "cat/.a.png"),
        *("cat/notes.txt", "cat/.thumbs/a.png", ".git/a.png", "readme.png"),
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = tree.read(tmp_path, "")
    assert found.classes == ("cat", "dog")
    assert found.files == (("cat/z.jpeg", 0), ("dog/a.png", 1), ("dog/b.JPG", 1), ("dog/deeper/c.webp", 1))
    assert not found.split


def test_train_and_test_are_the_parts_and_other_folders_are_told(tmp_path: Path) -> None:
    for part in ("train", "test", "val"):
        make(tmp_path / part, {"cat": 1, "dog": 1})
    found = tree.read(tmp_path, "")
    assert found.split
    assert found.classes == ("cat", "dog")
    assert [file for file, _ in found.files] == [
        *("train/cat/000.png", "train/dog/000.png", "test/cat/000.png", "test/dog/000.png")
    ]
    assert [label for _, label in found.files] == [0, 1, 0, 1]
    assert found.ignored == ("val",)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    found = tree.read(make(tmp_path / "vehicles", {"bus": 1, "car": 1, "train": 1}), "")
    assert not found.split
    assert found.classes == ("bus", "car", "train")


def test_what_is_no_such_folder_is_one_line_with_what_may_be_meant(tmp_path: Path) -> None:
    pets = make(tmp_path / "pets", {"cat": 1, "dog": 1})
    for path in (tmp_path / "pest", tmp_path / "pest" / "deeper"):
        assert refused(path) == f"no folder {tmp_path}/pest; did you mean 'pets'?"
    assert refused(pets / "x") == f"no folder {pets}/x; one of: cat, dog"
    many = make(tmp_path / "many", dict.fromkeys("abcdefghi", 1))
    assert refused(many / "xyz") == f"no folder {many}/xyz"
    (tmp_path / "many").rename(pets / "many")
    assert refused(pets / "cat" / "000.png") == (
        f"{pets}/cat/000.png is a file; expected a folder with one sub-folder of images per class"
    )
    assert refused(pets / "cat") == (f"{pets}/cat has no sub-folders; expected one per class, two at least")
    assert refused(tmp_path) == (
        f"{tmp_path} has only one sub-folder, pets; expected one per class, two at least;"
        f" did you mean folder:{pets}?"
    )


def test_parts_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    train = make(tmp_path / "train", {"cat": 1, "dog": 1})
    assert refused(tmp_path) == f"{tmp_path} has train but no test; write folder:{train}"
    make(tmp_path / "val", {"cat": 1, "dog": 1})
    assert refused(tmp_path) == f"{tmp_path} has train and val but no test; rename val to test"
    make(tmp_path / "test", {"cat": 1, "dogs": 1})
    assert refused(tmp_path) == f"{tmp_path}/test lacks class 'dog'; did you mean 'dogs'?"
    (tmp_path / "test" / "dogs").rename(tmp_path / "test" / "dog")
    make(tmp_path / "test", {"owl": 1})
    assert refused(tmp_path) == f"{train} lacks class 'owl'; one of: cat, dog"
    shutil.rmtree(train / "dog")
    assert refused(tmp_path).startswith(f"{train} has only one sub-folder, cat; expected one per class")

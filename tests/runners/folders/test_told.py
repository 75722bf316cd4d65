"""What is said of a folder of images."""

import shutil
from pathlib import Path

from PIL import Image

from runners.folders.survey import survey
from runners.folders.told import summary, warnings
from tests.runners.folders.made import make, truncate


def test_the_summary_has_sizes_classes_and_parts(tmp_path: Path) -> None:
    for name, side in (("cat", 20), ("dog", 31)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (side, side + 1), (number, 0, side)).save(
                tmp_path / "pets" / name / f"{number}.png"
            )
    assert summary(survey(tmp_path / "pets", "")) == (
        "10 images of 20x21 to 31x32 pixels, in colour; 2 classes (cat 5, dog 5);"
        " 2 for testing, drawn class by class"
    )
    many = make(tmp_path / "many", {f"class{number}": 3 + number % 2 for number in range(12)}, colour=False)
    assert "pixels, grey; 12 classes of 3 to 4; 12 for testing" in summary(survey(many, ""))
    for part in ("train", "test"):
        shutil.copytree(many, tmp_path / "given" / part)
    assert summary(survey(tmp_path / "given", "")).endswith("42 for testing, as given")


def test_nothing_is_said_where_nothing_is_odd(tmp_path: Path) -> None:
    assert warnings(survey(make(tmp_path / "pets"), "")) == ()


def test_unreadable_images_are_named_five_of_them(tmp_path: Path) -> None:
    pets = make(tmp_path / "pets", {"cat": 9, "dog": 4})
    for number in range(4):
        truncate(pets / "cat" / f"{number:03}.png")
    assert len(warnings(survey(pets, ""))) == 4
    (pets / "dog" / "line\nbreak.png").write_text("no image")
    five = warnings(survey(pets, ""))
    assert five[0].startswith("cat/000.png is left out: ")
    assert five[4] == "dog/line break.png is left out: no image that can be read"
    for number in (5, 6):
        truncate(pets / "cat" / f"{number:03}.png")
    assert warnings(survey(pets, ""))[5:] == ("and 2 more are left out",)


def test_the_same_image_in_both_parts_or_in_two_classes_is_told(tmp_path: Path) -> None:
    make(tmp_path / "train", {"cat": 4, "dog": 3})
    make(tmp_path / "test", {"cat": 2, "dog": 2}, seed=1)
    make(tmp_path / "val", {"cat": 2})
    shutil.copy(tmp_path / "train" / "cat" / "001.png", tmp_path / "test" / "cat" / "x.png")
    shutil.copy(tmp_path / "train" / "dog" / "001.png", tmp_path / "train" / "cat" / "x.png")
    assert warnings(survey(tmp_path, "")) == (
        "val/ is left out: train and test are used, and validation images are drawn from train",
        "1 image there with several labels, e.g. train/cat/x.png and train/dog/001.png",
        "1 image there for training and for testing, e.g. train/cat/001.png and test/cat/x.png",
    )

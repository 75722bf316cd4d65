"""Looking through a folder: what is for testing, what changes its digest, what is refused."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.errors import BadInput
from runners.folders import pictures
from runners.folders.pictures import Picture
from runners.folders.survey import Survey, judged, survey
from runners.folders.tree import Tree
from tests.runners.folders.made import PETS, make, truncate


def names(found: Survey, places: tuple[int, ...]) -> set[str]:
    return {found.tree.files[place][0] for place in places}


@pytest.mark.parametrize("colour", [True, False])
def test_every_image_is_in_one_part_and_a_fifth_of_each_class_is_for_testing(
    tmp_path: Path, colour: bool
) -> None:
    found = survey(make(tmp_path / "pets", colour=colour), "")
    assert sorted((*found.development, *found.test)) == list(range(sum(PETS.values())))
    for label, count in enumerate(PETS.values()):
        tested = [place for place in found.test if found.tree.files[place][1] == label]
        assert len(tested) == round(0.2 * count)
    assert found.channels == (3 if colour else 1)


CHECKSUMS = st.lists(st.integers(0, 10**6).map(lambda number: f"{hash(number):x}"), min_size=2, max_size=30)


@given(cats=CHECKSUMS, dogs=CHECKSUMS, another=st.integers(2 * 10**6, 3 * 10**6))
def test_copies_stay_together_and_another_class_or_image_moves_hardly_any(
    cats: list[str], dogs: list[str], another: int
) -> None:
    def tested(cats: list[str], dogs: list[str]) -> tuple[set[str], set[str]]:
        """Checksums of the cats for testing, and of those for development."""
        files = [(f"{number}", label) for label, of in enumerate((cats, dogs)) for number in range(len(of))]
        seen = tuple(Picture(checksum) for checksum in (*cats, *dogs))
        found = judged(Tree(Path(), False, ("cat", "dog"), tuple(files)), seen, "")
        parts = [
            {seen[p].checksum for p in part if files[p][1] == 0} for part in (found.test, found.development)
        ]
        return parts[0], parts[1]

    if len(set(cats)) < 2 or len(set(dogs)) < 2:
        return
    test, development = tested(cats, dogs)
    assert not test & development
    assert len(test) == max(1, round(0.2 * len(set(cats))))
    assert tested(cats[::-1], [*dogs, f"{another:x}"]) == (test, development)
    more, _ = tested([f"{another:x}", *cats], dogs)
    assert len(test - more) <= 1


def test_a_given_split_is_kept(tmp_path: Path) -> None:
    make(tmp_path / "train", {"cat": 4, "dog": 3})
    make(tmp_path / "test", {"cat": 1, "dog": 2}, seed=1)
    found = survey(tmp_path, "")
    assert names(found, found.test) == {"test/cat/000.png", "test/dog/000.png", "test/dog/001.png"}
    assert len(found.development) == 7


def test_the_digest_is_of_names_and_contents_wherever_the_folder_lies(tmp_path: Path) -> None:
    pets = make(tmp_path / "pets")
    first = survey(pets, "").digest
    (pets / "cat" / "notes.txt").write_text("no image")
    moved = Path(shutil.copytree(pets, tmp_path / "elsewhere"))
    os.utime(moved / "cat" / "000.png", (1, 1))
    assert survey(moved, "").digest == survey(pets, "").digest == first
    digests = {first}
    content = bytearray((moved / "cat" / "000.png").read_bytes())
    content[-20] ^= 1  # of the checksum of the last rows
    for change in (
        lambda: (moved / "cat" / "000.png").write_bytes(content),
        lambda: (moved / "cat" / "001.png").rename(moved / "cat" / "zzz.png"),
        lambda: (moved / "cat" / "zzz.png").rename(moved / "dog" / "zzz.png"),
        lambda: (moved / "dog").rename(moved / "hound"),
        (moved / "hound" / "000.png").unlink,
    ):
        change()
        digests.add(survey(moved, "").digest)
    assert len(digests) == 6


def test_what_did_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pets = make(tmp_path / "pets")
    first = survey(pets, "")
    with monkeypatch.context() as patched:
        patched.setattr(pictures, "look", None)
        assert survey(pets, "") is first
    truncate(pets / "cat" / "003.png")
    second = survey(pets, "")
    assert names(second, (*second.development, *second.test)) == {f for f, _ in first.tree.files} - {
        "cat/003.png"
    }


def test_a_class_with_too_few_images_is_a_line_each(tmp_path: Path) -> None:
    pets = make(tmp_path / "pets", {"cat": 3, "dog": 1, "fox": 2, "owl": 2, "yak": 0})
    truncate(pets / "fox" / "000.png")
    shutil.copy(pets / "owl" / "000.png", pets / "owl" / "001.png")
    with pytest.raises(BadInput) as caught:
        survey(pets, "data set 'x'")
    assert caught.value.lines == (
        "data set 'x': class dog has 1 different image; expected 2 or more",
        "data set 'x': class fox has 1 different image and 1 unreadable; expected 2 or more",
        "data set 'x': class owl has 1 different image; expected 2 or more",
        "data set 'x': class yak has 0 different images; expected 2 or more",
    )


def test_so_is_one_of_a_given_split(tmp_path: Path) -> None:
    make(tmp_path / "train", {"cat": 4, "dog": 1})
    truncate(make(tmp_path / "test", {"cat": 1, "dog": 2}, seed=1) / "cat" / "000.png")
    with pytest.raises(BadInput) as caught:
        survey(tmp_path, "x")
    assert caught.value.lines == (
        "x: class train/dog has 1 different image; expected 2 or more",
        "x: class test/cat has 0 different images and 1 unreadable; expected 1 or more",
    )

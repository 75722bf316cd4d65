"""Folders as data sets: named by what they hold, from a study file or the command line."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from results.records.resolved_study import read_study
from runners import datasets, folders, sources, study
from runners.errors import BadInput
from runners.plan import plan
from runners.study import Overrides
from tests.loaded_plugins import left_as_they_were
from tests.runners.folders.made import PETS, make, truncate
from tests.runners.study_files import write_study, write_tiny

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _the_network_goes_with_its_test() -> Iterator[None]:
    with left_as_they_were():
        yield


def test_a_folder_is_a_data_set_named_by_what_it_holds(tmp_path: Path) -> None:
    pets = make(tmp_path / "my pets")
    found = datasets.get(f"folder:{pets}")
    assert re.fullmatch(r"folder:my-pets@[0-9a-f]{12}", found.name)
    assert (found.in_channels, found.num_classes, found.test_size) == (3, 3, 5)
    assert found.development_size + 5 == sum(PETS.values())
    assert found.unavailable() is None
    assert found.source == str(pets)
    assert datasets.get(found.name) == found
    assert datasets.get(f"folder:{make(tmp_path / 'grey', colour=False)}").in_channels == 1


def test_a_path_is_relative_to_where_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "data" / "pets")
    name = datasets.located("folder:pets", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for other in ("folder:data/pets", "folder:~/data/pets", f"folder:{tmp_path}/data/pets", name):
        assert datasets.get(other).name == name
    assert datasets.located("digits", tmp_path) == "digits"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("folder:", "data set 'folder:': expected folder:PATH, e.g. folder:data/pets"),
        ("folder:pets@0123456789ab", "data set folder:pets@0123456789ab: nobody said where it lies"),
        ("folder:pest", "data set 'folder:pest': no folder .*; did you mean 'pets'?"),
        ("folder:a\0b", "data set .*: embedded null byte; expected another path"),
        ("pets", "no data set 'pets'; did you mean 'folder:pets'"),
        ("folder:~nobody-of-that-name/pets", "data set .*: no folder .*/~nobody-of-that-name; one of: pets"),
        ("folder:" + "a" * 5000, r"data set .*\.\.\.: file name too long; expected another path"),
        ("a" * 5000, "no data set 'aaa.*; one of: cifar-10, digits"),
        ("digit", "no data set 'digit'; did you mean 'digits'"),
    ],
)
def test_a_name_that_is_none_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str
) -> None:
    make(tmp_path / "pets")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        datasets.get(name)
    (said,) = caught.value.lines
    assert re.match(line, said)


def test_its_source_is_the_code_that_reads_it(tmp_path: Path) -> None:
    name = datasets.get(f"folder:{make(tmp_path / 'pets')}").name
    assert datasets.source(name) == Path(folders.__file__)
    those = {str(path.relative_to(ROOT)) for path in sources.trial_sources("convergence", "resnet", name, ())}
    assert {"runners/folders/decoded.py", "runners/folders/pictures.py", "runners/images.py"} <= those
    assert "runners/datasets/digits.py" not in those
    of_digits = {
        str(path.relative_to(ROOT)) for path in sources.trial_sources("convergence", "resnet", "digits", ())
    }
    assert not [path for path in of_digits if path.startswith("runners/folders/")]


def written(folder: Path, dataset: str = "folder:pets") -> Path:
    """A study of a network that trains in no time."""
    folder.mkdir(exist_ok=True)
    write_tiny(folder, "tiny_pets")
    convergence = {
        "kind": "convergence",
        "dataset": dataset,
        "image_size": 8,
        "batch_size": 8,
        "epochs": 1,
        "seeds": 2,
    }
    content = {
        "architecture": "tiny_pets",
        "plugins": ["tiny_pets.py"],
        "factors": {"wide": [False, True]},
        "workloads": [convergence],
    }
    return write_study(folder / "mine.toml", content)


def ids(path: Path) -> set[str]:
    return {trial.id for trial in plan(study.load(str(path))).trials if trial.workload.kind == "convergence"}


def test_trials_are_the_same_wherever_the_folder_lies_and_others_where_it_holds_others(
    tmp_path: Path,
) -> None:
    pets = make(tmp_path / "pets")
    path = written(tmp_path)
    first = ids(path)
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copytree(pets, moved / "pets")
    path.write_text(path.read_text().replace('"folder:pets"', '"folder:moved/pets"'))
    assert ids(path) == first
    truncate(moved / "pets" / "cat" / "000.png")
    assert not ids(path) & first


def test_the_folder_decides_channels_and_classes(tmp_path: Path) -> None:
    make(tmp_path / "pets")
    (trial, *_) = (t for t in plan(study.load(str(written(tmp_path)))).trials if t.wave == 2)
    assert trial.arms[0].complete_variant.count("num_classes=3") == 1
    assert trial.folder is not None
    assert trial.folder.path == str(tmp_path / "pets")
    assert trial.workload.dataset == trial.folder.name


def test_the_command_lines_folder_stands_for_the_studys_which_need_not_be_there(tmp_path: Path) -> None:
    pets = make(tmp_path / "given", {"cat": 3, "dog": 3}, colour=False)
    found = study.load(str(written(tmp_path, "folder:lost")), Overrides(dataset=f"folder:{pets}"))
    assert getattr(found.workloads[0], "dataset", "").startswith("folder:given@")


def test_all_mistakes_of_a_study_are_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "folder:pest")
    make(tmp_path / "pets")
    path.write_text(path.read_text().replace("batch_size", "batchsize"))
    with pytest.raises(BadInput) as caught:
        study.load(str(path))
    folder, key = caught.value.lines
    assert folder == (f"study mine: data set 'folder:pest': no folder {tmp_path}/pest; did you mean 'pets'?")
    assert "batchsize" in key


def ablate(*arguments: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "runners", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=300,
    )


def test_a_plan_says_what_it_found_before_anything_runs(tmp_path: Path) -> None:
    pets = make(tmp_path / "pets")
    written(tmp_path, "digits")
    truncate(pets / "dog" / "004.png")
    done = ablate("plan", "mine.toml", "--dataset", "folder:pets", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^folder:pets@\w{12}: 27 images of \d+x\d+ to \d+x\d+ pixels, in colour;", done.stdout, re.MULTILINE
    )
    assert re.search(
        r"^warning: data set folder:pets@\w{12}: dog/004\.png is left out: ", done.stderr, re.MULTILINE
    )
    assert re.search(r"its 5 test images tell an accuracy of 90 % to ±13\.4 points", done.stderr)
    rows = json.loads(ablate("plan", "mine.toml", "--dataset", "folder:pets", "--json", cwd=tmp_path).stdout)
    assert len(rows) == 8
    assert {path.name for path in tmp_path.iterdir()} == {"pets", "mine.toml", "tiny_pets.py"}


def test_a_folder_that_is_none_ends_with_2_and_a_line(tmp_path: Path) -> None:
    make(tmp_path / "pets", {"cat": 3, "dog": 1})
    written(tmp_path, "digits")
    for name, line in {
        "folder:pest": f"data set 'folder:pest': no folder {tmp_path}/pest; did you mean 'pets'?",
        "folder:pets": "data set 'folder:pets': class dog has 1 different image; expected 2 or more",
    }.items():
        done = ablate("run", "mine.toml", "--dataset", name, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"ablate: {line}\n")
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_run_trains_on_it_resumes_and_begins_anew_where_it_changed(tmp_path: Path) -> None:
    pets = make(tmp_path / "lab" / "pets")
    written(tmp_path / "lab")
    out = tmp_path / "out"

    def run() -> "subprocess.CompletedProcess[str]":
        done = ablate("run", "lab/mine.toml", "--out", out, "--device", "cpu", cwd=tmp_path)
        assert done.returncode == 0, done.stderr + done.stdout
        return done

    def records() -> set[str]:
        return {path.name for path in (out / "records").iterdir()}

    assert "28 images" in run().stdout
    first = records()
    trials = pd.read_csv(out / "report" / "tables" / "trials.csv")
    assert (trials["status"] == "ok").all()
    name = read_study(out).workloads[-1].dataset
    assert name is not None
    assert name in (out / "report" / "details.md").read_text()
    assert str(tmp_path) not in (out / "study.json").read_text(), "a study's place is no part of it"
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "data").glob("pets*")}
    assert len(kept) == 2

    (tmp_path / "lab").rename(tmp_path / "moved")
    (tmp_path / "lab").symlink_to(tmp_path / "moved")
    run()
    assert records() == first
    assert read_study(out).exploratory == ()
    assert {path.name: path.stat().st_mtime_ns for path in (out / "data").glob("pets*")} == kept

    shutil.copy(pets / "cat" / "000.png", pets / "dog" / "copy.png")
    assert "1 image there with several labels" in run().stderr
    assert read_study(out).workloads[-1].dataset != name
    assert read_study(out).exploratory == ("workloads",)
    assert len(records() - first) == len([one for one in first if "complexity" not in one]) - 2

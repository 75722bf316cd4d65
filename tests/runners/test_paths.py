"""Paths that no file system can hold, or that are not ours to write: one line, before anything is done."""

import os
import sys
from pathlib import Path

import pytest

from runners.__main__ import _main
from runners.errors import BadInput
from runners.paths import writable

LONG = "x" * 5000
LONG_LINE = "file name too long; expected another path"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["run", "quick", "--out", LONG], "--out"),
        (["run", "quick", "--import", LONG], "--import"),
        (["run", "quick", "--plugin", LONG], "--plugin"),
        (["run", f"{LONG}.toml"], "study"),
        (["plan", f"{LONG}.toml"], "study"),
        (["plan", "quick", "--plugin", LONG], "--plugin"),
        (["list", "factors", "--plugin", LONG], "--plugin"),
        (["show", "resnet", "--plugin", LONG], "--plugin"),
        (["memory", "resnet", "--plugin", LONG], "--plugin"),
        (["report", LONG], "DIRECTORY"),
        (["report", "x", "--plugin", LONG], "--plugin"),
        (["compare", LONG, "x"], "FIRST"),
        (["compare", ".", LONG], "SECOND"),
        (["import", LONG], "FILES"),
        (["import", "x.json", "--into", LONG], "--into"),
    ],
)
def test_a_path_that_is_too_long_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    option: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ablate: {option} 'xxxxx")
    assert line.endswith(LONG_LINE)
    assert len(line) < 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["a\0b", "caf\udce9"])
@pytest.mark.parametrize(
    "arguments", [["report"], ["run", "--out"], ["show"], ["list"], ["memory", "resnet", "--fit"]]
)
def test_what_is_no_text_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert _main([*arguments, text]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (f"ablate: argument {len(arguments) + 1}: {text!a}: expected text without NUL, in UTF-8")


def test_a_run_is_not_written_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    for directory, reason in (
        (tmp_path / "thesis.txt", "is a file"),
        (tmp_path / "thesis.txt" / "run" / "one", "thesis.txt is a file"),
    ):
        with pytest.raises(BadInput, match=f"--out .*: .*{reason}; expected a directory"):
            writable(directory, "--out")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BadInput, match="cannot be written by this user"):
        writable(tmp_path / "run", "--out")


def test_a_directory_that_may_not_be_written_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(
        BadInput, match=f"{tmp_path} cannot be written by this user; expected another directory"
    ):
        writable(tmp_path / "deep" / "run", "--out")


def test_a_new_directory_and_that_of_a_run_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for directory in (Path("new/deep"), tmp_path / "new", Path()):
        assert writable(directory, "--out") == directory
    (tmp_path / "study.json").write_text("{}")
    assert writable(tmp_path, "--out") == tmp_path

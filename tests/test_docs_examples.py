"""What the documentation shows can be done: its studies load, its commands parse, its tutorial runs."""

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.core import TyperGroup
from typer.main import get_command

from runners import datasets, new, study
from runners.__main__ import app
from runners.errors import BadInput
from tests.loaded_plugins import left_as_they_were

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
BEFORE = {"architecture": 'architecture = "resnet"\n'}
BEHIND = {
    "factors": '\n[factors]\nstem = ["shallow", "deep64"]\n',
    "workloads": '\n[[workloads]]\nkind = "memory"\n',
}
"""What a block that shows a part of a study is completed by."""


def blocks(text: str, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [content for language, content in found if language in languages]


STUDIES = [
    pytest.param(page, block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page.read_text(), "toml"), start=1)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where studies of the pages find what they name: files of `ablate new`, and folders of images."""
    new.begin(tmp_path / "mine")
    for name in ("mine/shapes", "mine/shoes", "photos"):
        for label in ("one", "two", "three"):
            (tmp_path / name / label).mkdir(parents=True)
            for grey in range(20):
                image = Image.new("L", (48, 48), len(label) * 40 + grey)
                image.save(tmp_path / name / label / f"{grey}.png")
    return tmp_path / "mine"


def loaded(folder: Path, block: str, python: list[str]) -> study.Study:
    """The study of a page, or one that has the keys that the page shows."""
    shown = tomllib.loads(block)
    for source in python:
        if "@architecture\n" in source and "import" in source:
            (folder / "network.py").write_text(source)
    before, behind = (
        "".join(text for key, text in missing.items() if key not in shown) for missing in (BEFORE, BEHIND)
    )
    path = folder / "shown.toml"
    path.write_text(before + block + behind)
    with left_as_they_were():
        return study.load(str(path))


@pytest.mark.parametrize(("page", "block"), STUDIES)
def test_a_study_that_is_shown_is_accepted(folder: Path, page: Path, block: str) -> None:
    for table in tomllib.loads(block).get("workloads", []):
        known = datasets.datasets().get(table.get("dataset", ""))
        if known is not None and (reason := known.unavailable()):
            pytest.skip(reason)
    found = loaded(folder, block, blocks(page.read_text(), "python"))
    assert found.workloads


def test_a_study_with_a_key_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="seedz"):
        loaded(folder, '[[workloads]]\nkind = "convergence"\nseedz = 3', [])
    with pytest.raises(BadInput, match="deeep64"):
        loaded(folder, '[factors]\nstem = ["shallow", "deeep64"]', [])


def commands(text: str) -> Iterator[list[str]]:
    """Words of each command that a page's console blocks give to a shell."""
    for block in blocks(text, "console", "bash", ""):
        lines = re.sub(r"\\\n(?:> )?", " ", block).splitlines()
        typed = [line[2:] for line in lines if line.startswith(("$ ", "> "))]
        typed += [line for line in lines if line.startswith(("ablate ", "nox "))]
        for line in typed:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
            lexer.whitespace_split, lexer.commenters = True, "#"
            yield from _parts(list(lexer))


def _parts(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= set(";&|"):
            yield command
            command = []
        else:
            command.append(word)


def mentioned(text: str) -> Iterator[list[str]]:
    """Words of `ablate ...` and `nox ...` within sentences, which may leave out what a command needs."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    for code in re.findall(r"`((?:ablate|nox) [^`]+)`", prose):
        yield code.split()


def complaint(words: list[str], *, whole: bool) -> str | None:
    """What is wrong with a command; None where nothing is, or it is not one of the suite's."""
    for place, word in enumerate(words[:3]):  # `time ablate ...`, `do ablate ...`, `python -m nox ...`
        if word == "ablate":
            return _of_ablate(words[place + 1 :], whole=whole)
        if word == "nox":
            return _of_nox(words[place + 1 :], whole=whole)
    return None


def _of_ablate(words: list[str], *, whole: bool) -> str | None:
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    name, *given = words
    if name.startswith("-") or name.isupper():  # of all commands
        return None
    if name not in program.commands:
        return f"no command {name}"
    command = program.commands[name]
    if whole:
        try:
            command.make_context(name, given)
        except typer.TyperException as error:
            return error.format_message()
        return None
    known = {option for parameter in command.params for option in parameter.opts}
    strange = [word for word in given if word.startswith("--") and word.rstrip(",") not in known]
    return f"{name} has no {', '.join(strange)}" if strange else None


def _of_nox(words: list[str], *, whole: bool) -> str | None:
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    sessions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    if words[:1] != ["-s"] or words[1] not in sessions:
        return f"no session {' '.join(words)}"
    if words[1] == "ablate":
        return _of_ablate(["run", *words[3:]], whole=whole)
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_that_are_shown_exist(page: Path) -> None:
    text = page.read_text()
    wrong = [complaint(words, whole=True) for words in commands(text)]
    wrong += [complaint(words, whole=False) for words in mentioned(text)]
    assert [said for said in wrong if said] == []


def test_commands_that_do_not_exist_are_found() -> None:
    page = (
        "```console\n$ ablate plan a.toml && ablate run a.toml --seedz 3   # so\n$ ablate compare one\n"
        "$ nox -s ablate -- stem --bugdet 3m\n```\nSee `ablate rnu` and `ablate run --fesh`, `nox -s dosc`."
    )
    found = [complaint(words, whole=True) for words in commands(page)]
    found += [complaint(words, whole=False) for words in mentioned(page)]
    wrong = ["--seedz", "second", "--bugdet", "rnu", "--fesh", "dosc"]
    assert [said for said in found if said] != []
    for word, said in zip(wrong, [said for said in found if said], strict=True):
        assert word.lower() in said.lower()


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "110"}
    done = subprocess.run(
        [sys.executable, "-m", "runners", *arguments],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done


def rows(text: str) -> set[str]:
    """Files that were written, and lines of tables of exact figures, without their spaces."""
    return {
        " ".join(line.split())
        for line in text.splitlines()
        if re.match(r"mine/|next:|  (downsample|relu)\S+ .*[▲▼≈] [±+−]\S+ %", line)
    }


def counted(text: str) -> list[tuple[str, ...]]:
    """Of a plan each workload's trials, blocks and arms; how long it takes is the machine's."""
    return re.findall(r"^  (\S+) .* (\d+) +(\d+) +(\d+) +\d+ s", text, re.MULTILINE)


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows_where_that_is_exact(tmp_path: Path) -> None:
    begun, planned, first, second = blocks(TUTORIAL, "console")
    (change,) = blocks(TUTORIAL, "diff")
    printed = run(tmp_path, "new", "mine").stdout
    assert rows(begun) == rows(printed)
    assert len(rows(begun)) == 6
    for block in blocks(TUTORIAL, "python"):
        shown = [line for line in block.splitlines() if line.strip() != "..."]
        assert set(shown) <= set((tmp_path / "mine" / "network.py").read_text().splitlines())
    told = run(tmp_path, "plan", "mine/study.toml").stdout
    assert counted(planned) == counted(told)
    assert len(counted(told)) == 4
    said = run(tmp_path, "run", "mine/study.toml").stdout
    assert len(rows(first)) == 2
    assert rows(first) <= rows(said)
    (tmp_path / "change.diff").write_text(change)
    subprocess.run(["git", "apply", "--unidiff-zero", "change.diff"], check=True, cwd=tmp_path)
    again = run(tmp_path, "run", "mine/study.toml").stdout
    assert "downsample=average" in again
    assert second.splitlines()[-1] in again

"""The documentation site: built without a warning, and complete by what the code says of itself."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from inspect import signature
from pathlib import Path
from typing import get_args
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup, Tag
from pydantic import BaseModel
from typer.core import TyperGroup
from typer.main import get_command

import ablations
import results
import results.plots
from results.verdicts.claims import VERDICTS
from results.verdicts.statistics import Verdict
from runners import probes, study_file
from runners.__main__ import app
from runners.terminal.ending import ENDINGS

ROOT = Path(__file__).parents[1]
BUILD = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
NOT_COPIED = shutil.ignore_patterns("_build", "reference", "__pycache__")


def build(source: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*BUILD, str(source), str(site)],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


def sources(folder: Path) -> Path:
    """The pages, and nothing that an earlier build has left."""
    shutil.copy(ROOT / "CHANGELOG.md", folder)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=NOT_COPIED)
    return folder / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(sources(folder), folder / "html")
    assert done.returncode == 0, done.stderr
    return folder / "html"


@cache
def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def words(text: str) -> str:
    """A text as a reader compares it: no backticks, one space between words."""
    return " ".join(text.replace("`", "").split())


def told(tag: BeautifulSoup | Tag) -> str:
    return words(tag.get_text(""))


def section(site: Path, name: str, key: str) -> str:
    """What a page says of a key; empty where it has no heading for it."""
    heading = page(site / "reference" / f"{name}.html").find(id=key)
    return "" if heading is None else told(heading)


def test_every_command_has_a_page_with_its_options_and_endings(site: Path) -> None:
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    assert {path.stem for path in (site / "reference" / "commands").glob("*.html")} == set(program.commands)
    for name, command in program.commands.items():
        text = told(page(site / "reference" / "commands" / f"{name}.html"))
        assert words(str(command.help)) in text
        for parameter in command.params:
            assert parameter.opts[0] in text or parameter.metavar, (name, parameter.name)
            assert words(str(vars(parameter)["help"])) in text, (name, parameter.name)
        for end in ENDINGS:
            assert (words(end.meaning) in text) == (not end.of or name in end.of), (name, end.code)


def test_commands_that_return_a_code_are_those_that_can_end_otherwise() -> None:
    returning = set()
    for info in app.registered_commands:
        assert info.callback is not None
        if signature(info.callback).return_annotation is int:
            returning.add(info.name or info.callback.__name__)
    assert {name for end in ENDINGS for name in end.of} == returning


def described(site: Path, name: str, owner: str, model: type[BaseModel]) -> Iterator[str]:
    """Keys of a model that the page says nothing, or something else, of."""
    for key, field in model.model_fields.items():
        if words(str(field.description)) not in section(
            site, name, f"{owner}-{key}".lower().replace("_", "-")
        ):
            yield key


def test_every_key_of_a_study_is_described(site: Path) -> None:
    assert list(described(site, "study-files", "study", study_file.StudyFile)) == []


def test_every_key_of_every_workload_is_described(site: Path) -> None:
    workloads = page(site / "reference" / "workloads.html")
    table = workloads.find("table")
    assert table is not None
    rows = {told(row.find_all("td")[0]): row for row in table.find_all("tr")[1:]}
    assert set(rows) == set(probes.probes())
    for kind, probe in probes.probes().items():
        owners = [str(link["href"]).removeprefix("#keys-") for link in rows[kind].find_all("a")]
        missing = [set(described(site, "workloads", owner, probe.settings)) for owner in owners]
        # A key that a kind has for itself stands in its own section, any other one in one that it shares.
        assert set.intersection(*missing) == set(), kind


def test_a_keys_default_and_bounds_are_those_that_are_checked(site: Path) -> None:
    seeds = section(site, "workloads", "convergence-seeds")
    assert "Whole number, 1 or more, at most 10000; 6 by default" in seeds
    assert "Number, above 0, at most 1; none by default" in section(
        site, "workloads", "throughput-half-width"
    )
    assert "'one-at-a-time', 'leave-one-out'" in section(site, "study-files", "study-design")
    assert "must be given" in section(site, "study-files", "study-architecture")


def test_every_study_has_a_page_with_its_question_and_file(site: Path) -> None:
    for name, path in study_file.studies().items():
        text = told(page(site / "reference" / "studies" / f"{name}.html"))
        content = path.read_text(encoding="utf-8")
        assert words(tomllib.loads(content)["question"]) in text
        assert words(content) in text


def test_what_python_may_import_is_described(site: Path) -> None:
    anchors = {str(tag["id"]) for tag in page(site / "python.html").find_all(id=True)}
    levels = {"BEHAVIOURAL", "EQUIVALENT", "RESOURCE_ONLY", "Level"}  # members of `Kind`, and an alias
    public = {f"results.{name}" for name in results.__all__ if name != "plots"}
    public |= {f"results.plots.{name}" for name in results.plots.__all__}
    public |= {f"ablations.{name}" for name in ablations.__all__ if name not in levels}
    assert public - anchors == set()


def test_the_glossary_has_every_word_that_a_verdict_can_be(site: Path) -> None:
    text = told(page(site / "glossary.html")).lower()
    assert [word for word in (*get_args(Verdict), *VERDICTS) if word not in text] == []


class Page(HTMLParser):
    """The anchors of a page, and where it leads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors, self.links = set[str](), set[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.links |= {given[name] for name in ("href", "src") if name in given}


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.resolve().rglob("*.html") if "_static" not in path.parts}
    assert len(pages) > 40
    broken = []
    for path, content in pages.items():
        for link in content.links:
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            place = (path.parent / unquote(target.path)).resolve() if target.path else path
            anchors = pages[place].anchors if place in pages else set()
            if not place.is_file() or (target.fragment and unquote(target.fragment) not in anchors):
                broken.append(f"{path.name}: {link}")
    assert broken == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    ["[nowhere](nowhere.md)", "{term}`no such word`", "{py:class}`results.Nothing`", "![](figures/none.png)"],
)
def test_a_page_that_leads_nowhere_fails_the_build(tmp_path: Path, line: str) -> None:
    folder = sources(tmp_path)
    with (folder / "gpu.md").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = build(folder, tmp_path / "html")
    assert done.returncode != 0
    assert "gpu.md" in done.stderr


def test_the_citation_is_of_this_version_and_has_what_the_format_demands() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == project["version"]
    assert citation["license"] == project["license"]
    assert words(citation["abstract"]) == project["description"]

"""Plugins: one mechanism for whatever the suite has a folder for; all or nothing, errors named as theirs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablations import registry
from results.report import topics
from runners import datasets, launchers, plugins, probes
from runners.errors import BadInput
from tests.loaded_plugins import left_as_they_were

NETWORK = """
from torch import nn
from ablations import architecture
from typing import Literal
@architecture
def {name}(*, size: Literal[1, 2] = 1) -> nn.Module:
    return nn.Linear(size, size)
"""
DATASET = """
from runners.datasets import Dataset
DATASET = Dataset("{name}", "none", 3, 10, 1, lambda size: None, lambda: None)
"""
LAUNCHERS = """
from runners.launchers import Launcher
LAUNCHERS = [Launcher(name, "none", print) for name in ("{name}-one", "{name}-two")]
"""
PROBE = """
from runners.probes import Probe, WorkloadSettings
from results.records.metric import Metric
METRIC = Metric("{name}_count", "n", "count", "lower", "ratio", 0.1, "n")
PROBE = Probe("{name}", "none", WorkloadSettings, (METRIC,), "exact", 0, False, False, print, print)
"""
SECTION = """
from results.report.section import Section, Topic
SECTION = Topic("{name}", "None", 999, lambda analysis, environment: Section())
"""


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    with left_as_they_were():
        yield


def known() -> dict[str, set[str]]:
    return {
        "architectures": set(registry.architectures()),
        "data sets": set(datasets.datasets()),
        "probes": set(probes.probes()),
        "launchers": set(launchers.launchers()),
        "studies": set(plugins.studies()),
        "sections": {topic.name for topic in topics.topics()},
    }


def test_a_folder_brings_what_its_files_hold_and_its_tables_are_studies(tmp_path: Path) -> None:
    before = known()
    for name, text in {
        "net.py": NETWORK,
        "images.py": DATASET,
        "places.py": LAUNCHERS,
        "counts.py": PROBE,
        "part.py": SECTION,
    }.items():
        (tmp_path / name).write_text(text.format(name="mine"))
    (tmp_path / "mine.toml").write_text("question = 'Why?'")
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "net.py").write_text("1 / 0")
    loaded = plugins.load([tmp_path])
    assert {file.path.name: file.holds for file in loaded.files} == {
        "net.py": {"architecture"},
        "images.py": {"DATASET"},
        "places.py": {"LAUNCHER"},
        "counts.py": {"PROBE"},
        "part.py": {"SECTION"},
    }
    added = {what: names - before[what] for what, names in known().items()}
    assert added == {
        "architectures": {"mine"},
        "data sets": {"mine"},
        "probes": {"mine"},
        "launchers": {"mine-one", "mine-two"},
        "studies": {"mine"},
        "sections": {"mine"},
    }
    assert loaded.studies == plugins.studies() == {"mine": tmp_path / "mine.toml"}
    assert probes.source("mine") == tmp_path / "counts.py"
    assert "mine_count" in probes.metrics()


def test_loading_twice_does_nothing(tmp_path: Path) -> None:
    count = tmp_path / "count.txt"
    (tmp_path / "net.py").write_text(
        NETWORK.format(name="mine")
        + f"open({str(count)!r}, 'a').write('x')\n"
        + DATASET.format(name="mine")
        + SECTION.format(name="mine")
    )
    first = plugins.load([tmp_path / "net.py"])
    assert plugins.load([tmp_path]) == first, "its folder"
    assert plugins.load([tmp_path, tmp_path / "net.py"]) == first
    assert count.read_text() == "x"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            DATASET.format(name="digits"),
            "data set 'digits' is there already, by {root}/runners/datasets/digits.py; rename one",
        ),
        (
            PROBE.format(name="memory"),
            "workload kind 'memory' is there already,"
            " by {root}/runners/probes/memory/__init__.py; rename one",
        ),
        (
            PROBE.format(name="mine").replace("mine_count", "macs"),
            "metric 'macs' is there already, by {root}/runners/probes/complexity/__init__.py; rename one",
        ),
        ("DATASET = 'images'", "DATASET is of type str; expected Dataset"),
        ("LAUNCHERS = [1]", "LAUNCHER is of type int; expected Launcher"),
        (SECTION.format(name="answer"), "section 'answer' is there already; rename one"),
        (SECTION.format(name="mine") + "SECTIONS = [1]", "SECTION is of type int; expected Topic"),
    ],
)
def test_a_name_that_is_taken_or_a_thing_that_is_none_is_one_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    before, file = known(), tmp_path / "b.py"
    (tmp_path / "a.py").write_text(NETWORK.format(name="mine") + LAUNCHERS.format(name="mine"))
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        plugins.load([tmp_path])
    assert caught.value.lines == (f"plugin {file}: {reason.format(root=Path(__file__).parents[2])}",)
    assert known() == before, "a plugin that fails leaves nothing"


def test_a_folder_that_fails_takes_nothing_from_a_file_in_it_that_was_loaded_before(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(DATASET.format(name="mine"))
    plugins.load([tmp_path / "a.py"])
    (tmp_path / "b.py").write_text("1 / 0")
    with pytest.raises(BadInput):
        plugins.load([tmp_path])
    assert "mine" in datasets.datasets()


def test_a_study_cannot_take_the_name_of_another(tmp_path: Path) -> None:
    (tmp_path / "quick.toml").write_text("")
    with pytest.raises(
        BadInput, match=r"quick\.toml: study 'quick' is there already, by .*studies/quick\.toml; rename"
    ):
        plugins.load([tmp_path])


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("\n1 / 0", "ZeroDivisionError: division by zero (b.py:{line})"),
        (
            "\ndef f():\n    raise ValueError('of\\ntwo lines')\nf()",
            "ValueError: of two lines (b.py:{deeper})",
        ),
        ("\nimport sys\nsys.exit(3)", "SystemExit: 3 (b.py:{after})"),
        ("\nDATASET = (", "SyntaxError: '(' was never closed (b.py, line {line})"),
        ("\nimport no_such_package", "ModuleNotFoundError: No module named 'no_such_package' (b.py:{line})"),
    ],
)
def test_an_error_of_a_plugin_is_named_as_its_own_and_it_can_be_corrected(
    tmp_path: Path, ending: str, reason: str
) -> None:
    before, file = known(), tmp_path / "b.py"
    text = NETWORK.format(name="mine")
    (tmp_path / "a.py").write_text(DATASET.format(name="mine"))
    file.write_text(text + ending)
    line = len(text.splitlines()) + 2
    expected = f"plugin {file} failed: {reason.format(line=line, deeper=line + 1, after=line + 1)}"
    with pytest.raises(BadInput, match=f"^{re.escape(expected)}$"):
        plugins.load([tmp_path])
    assert known() == before

    file.write_text(text)
    plugins.load([tmp_path])
    assert "mine" in registry.architectures()
    assert "mine" in datasets.datasets()


@pytest.mark.parametrize("name", ["missing.py", "missing", "notes.txt"])
def test_a_plugin_is_a_python_file_or_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    expected = f"plugin {tmp_path / name}: expected a Python file or a folder of such files"
    with pytest.raises(BadInput, match=f"^{re.escape(expected)}$"):
        plugins.load([tmp_path / name])


def test_trials_load_the_files_that_they_need_and_depend_on_no_others(tmp_path: Path) -> None:
    from runners import study
    from runners.plan import plan

    files = {
        "net.py": NETWORK.format(name="mine"),
        "other.py": NETWORK.format(name="other"),
        "acts.py": "import torch\ntorch.acted = True\n",
        "images.py": DATASET.format(name="mine"),
        "places.py": LAUNCHERS.format(name="mine"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    table = tmp_path.with_suffix(".toml")
    table.write_text(
        f'architecture = "mine"\nplugins = [{str(tmp_path)!r}]\n[factors]\nsize = [1, 2]\n'
        '[[workloads]]\nkind = "complexity"\nimage_size = 1\n'
    )
    for trial in plan(study.load(str(table))).trials:
        assert [Path(plugin).name for plugin in trial.plugins] == ["acts.py", "net.py"]

"""What `--plugin` brings to each command: a file, or a folder of files and studies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import results
from runners.__main__ import _main
from tests.runners.study_files import write_study, write_tiny

COMPLEXITY = {"kind": "complexity", "image_size": 8}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A plugin with an architecture of the test's own, and a study of it that names no plugin."""
    name = request.node.name.partition("[")[0].removeprefix("test_")
    path = tmp_path / "plugin"
    path.mkdir()
    write_tiny(path, name)
    write_study(
        path / f"study-{name}.toml",
        {"architecture": name, "factors": {"wide": [False, True]}, "workloads": [COMPLEXITY]},
    )
    return path


def answered(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, object]]:
    assert _main([*map(str, arguments), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return found if isinstance(found, list) else [found]


def test_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin = folder / "file.py"
    names = [row["name"] for row in answered(capsys, "list", "architectures", "--plugin", plugin)]
    assert {"file", "resnet"} <= set(names)
    (shown,) = answered(capsys, "show", "file:kernel=3", "--image-size", "8", "--plugin", plugin)
    assert shown["macs"] == 3 * 3 * 3 * 4 * 6 * 6 + 4 * 100
    (found,) = answered(capsys, "memory", "file", "--image-size", "8", "--plugin", plugin)
    assert found["variant"] == "file"


def test_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The layers above the tensors are measured in a process of its own, which needs the plugin too."""
    plugin = folder / "measured.py"
    (found,) = answered(
        capsys,
        "memory",
        "measured",
        "--image-size",
        "8",
        "--batch-size",
        "2",
        "--measure",
        "--plugin",
        plugin,
    )
    assert found["source"] == "measured"
    assert isinstance(found["layers"], dict)
    assert found["layers"]["resident_before_bytes"] > 0


def test_at_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a network of the user's own raises is no fault of ours, whatever it is."""
    for command in (["memory"], ["memory", "--measure"], ["show"]):
        name, *options = command
        arguments = [
            name,
            "at_fault:fault=key",
            "--image-size",
            "8",
            *options,
            "--plugin",
            str(folder / "at_fault.py"),
        ]
        assert _main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == "ablate: variant at_fault:fault=key: KeyError: 'planted' (at_fault.py:19)"


def test_folder(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    studies = [row["name"] for row in answered(capsys, "list", "studies", "--plugin", folder)]
    assert "study-folder" in studies
    trials = answered(capsys, "plan", "study-folder", "--plugin", folder)
    assert [trial["arms"] for trial in trials] == [["baseline"], ["wide=true"]]
    assert _main(["run", "study-folder", "--plugin", str(folder), "--device", "cpu", "--quiet"]) == 0
    assert capsys.readouterr().out == "report: runs/study-folder/report/index.html\n"
    run = results.load("runs/study-folder")
    assert set(run.trials()["status"]) == {"ok"}
    assert _main(["report", "runs/study-folder", "--plugin", str(folder), "--quiet"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "studies"],
        ["show", "resnet"],
        ["memory", "resnet"],
        ["plan", "quick"],
        ["run", "quick"],
        ["report", "."],
    ],
)
def test_a_plugin_that_is_not_there_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
) -> None:
    assert _main([*arguments, "--plugin", str(tmp_path / "nowhere.py")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nowhere.py" in line
    assert "expected a Python file or a folder" in line


PACKAGE = {
    "installed_nets/__init__.py": "",
    "installed_nets/parts.py": "KERNEL = 3\n",
    "installed_nets/plugin.py": """
from typing import Literal

from torch import nn

from ablations import architecture
from .parts import KERNEL


@architecture
def packaged(*, bias: Literal["with", "without"] = "with") -> nn.Module:
    \"\"\"A network of an installed package.

    Args:
        bias: Of its layer.
    \"\"\"
    return nn.Sequential(nn.Conv2d(3, 4, KERNEL, bias=bias == "with"), nn.AdaptiveAvgPool2d(1), nn.Flatten())
""",
    "installed_nets-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: installed-nets\nVersion: 1.0\n",
    "installed_nets-1.0.dist-info/entry_points.txt": "[ablations.plugins]\nnets = installed_nets.plugin\n",
}


def test_an_installed_package_brings_what_its_entry_point_names(tmp_path: Path) -> None:
    for name, text in PACKAGE.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "study.toml").write_text(
        'architecture = "packaged"\nplugins = ["nets"]\nfactors.bias = ["with", "without"]\n'
        '[[workloads]]\nkind = "memory"\nimage_size = 8\n'
    )

    def ablate(*arguments: str) -> "subprocess.CompletedProcess[str]":
        path = os.pathsep.join([str(Path(__file__).parents[2]), str(tmp_path / "site")])
        return subprocess.run(
            [sys.executable, "-m", "runners", *arguments],
            check=False,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=300,
        )

    shown = ablate("show", "packaged:bias=without", "--plugin", "nets", "--image-size", "8", "--json")
    assert json.loads(shown.stdout)["parameters"] == 3 * 4 * 3 * 3
    done = ablate("run", "study.toml", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert set(results.load(tmp_path / "run").trials()["status"]) == {"ok"}
    wrong = ablate("run", "study.toml", "--plugin", "net")
    assert wrong.returncode == 2
    assert wrong.stderr.endswith(", or one that is installed; did you mean 'nets'?\n")
    (tmp_path / "nets").mkdir()  # what lies there comes first
    assert ablate("show", "packaged", "--plugin", "nets").returncode == 2
    missing = ablate("show", "packaged", "--plugin", "some/folder/nets")
    assert missing.returncode == 2
    assert "expected a Python file" in missing.stderr

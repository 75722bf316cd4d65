"""Comfort: completion of what can be typed, short help, the version."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from runners import study_file
from runners.__main__ import _main
from runners.terminal.listings import LISTINGS

ROOT = Path(__file__).parents[3]
COMMANDS = ["list", "show", "memory", "plan", "run", "new", "import", "report", "merge", "compare", "table"]


def completed(line: str) -> set[str]:
    """What bash would offer after the line."""
    process = subprocess.run(
        [sys.executable, "-m", "runners"],
        env=os.environ
        | {
            "_ABLATE_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        },
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert process.stderr == ""
    return set(process.stdout.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ablate ", set(COMMANDS)),
        ("ablate list ", set(LISTINGS)),
        ("ablate list st", {"studies"}),
        ("ablate run ", set(study_file.studies())),
        ("ablate plan qu", {"quick"}),
        ("ablate run quick --dataset f", {"fashion-mnist", "folder:"}),
        ("ablate run quick --launcher l", {"local"}),
    ],
)
def test_what_can_be_typed_is_completed(line: str, offered: set[str]) -> None:
    assert completed(line) == offered


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_is_short_too(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert _main([*command, "-h"]) == 0
    short = capsys.readouterr().out
    assert _main([*command, "--help"]) == 0
    assert short == capsys.readouterr().out
    assert "Usage: ablate" in short


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["--version"]) == 0
    assert capsys.readouterr().out == f"ablate {version('architecture-ablations')}\n"

"""How commands end: the exit codes of the contract, and a line for whoever has to do something."""

import errno
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from results.records.files import RecordError, StorageError
from runners.errors import BadInput
from runners.terminal.ending import ending

ROOT = Path(__file__).parents[3]


def raising(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


def ended(capsys: pytest.CaptureFixture[str], command: Callable[[], object]) -> tuple[int, list[str]]:
    code = ending(command, ["run"])
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err.splitlines()


@pytest.mark.parametrize("code", [0, 1, 3])
def test_what_a_command_returns_is_its_code(capsys: pytest.CaptureFixture[str], code: int) -> None:
    assert ended(capsys, lambda: code) == (code, [])


def test_a_command_that_returns_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(capsys, lambda: None) == (0, [])


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (BadInput(["one", "two"]), ["ablate: one", "ablate: two"]),
        (RecordError("runs/x: not a run directory"), ["ablate: runs/x: not a run directory"]),
        (StorageError(errno.ENOSPC, "runs/x: no room left"), ["ablate: runs/x: no room left"]),
        (
            PermissionError(errno.EACCES, "Permission denied", "/root/x"),
            ["ablate: '/root/x': permission denied; make room, or give another path"],
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            ["ablate: no space left on device; make room, or give another path"],
        ),
        (typer.BadParameter("no\n such"), ["ablate: Invalid value: no such"]),
    ],
)
def test_what_the_user_can_mend_is_a_line_each_and_2(
    capsys: pytest.CaptureFixture[str], error: Exception, lines: list[str]
) -> None:
    assert ended(capsys, raising(error)) == (2, lines)


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), FileNotFoundError(errno.ENOENT, "no", "x")])
def test_a_fault_of_ours_leaves_its_traceback_in_a_file(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    code, (line,) = ended(capsys, raising(error))
    path = Path(line.rpartition(" ")[2])
    kind = type(error).__name__
    assert (code, line) == (4, f"ablate: {kind}: our fault; the traceback is in {path}")
    assert "in command" in path.read_text()
    path.unlink()


def test_a_fault_of_ours_on_a_full_disk_says_it_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", raising_file)
    code, lines = ended(capsys, raising(ZeroDivisionError("ours")))
    assert code == 4
    assert lines[-1] == (
        "ablate: ZeroDivisionError: our fault; the traceback is above, as no file could hold it"
    )
    assert any("in command" in line for line in lines)


def raising_file(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_interrupted_command_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    said = ["ablate: interrupted; the same command goes on where this one stopped"]
    assert ended(capsys, raising(KeyboardInterrupt())) == (130, said)
    assert ended(capsys, lambda: 130) == (130, said), "as typer tells of it"


def test_a_reader_that_has_gone_ends_a_command_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(capsys, raising(BrokenPipeError())) == (130, [])


@pytest.mark.parametrize("arguments", [["list", "workloads"], ["list", "workloads", "--json"], ["--help"]])
def test_output_that_nobody_reads_is_no_fault(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "runners", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (130, "")


def test_a_command_not_like_any_is_told_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = ended(capsys, raising(typer.TyperException("No such command 'xyzzy'.")))
    assert (code, lines) == (2, ["ablate: No such command 'xyzzy'. One of: run."])


def test_leaving_on_purpose_is_left_alone() -> None:
    with pytest.raises(SystemExit) as left:
        ending(raising(SystemExit(7)), [])
    assert left.value.code == 7


def test_output_is_sent_before_a_command_counts_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    assert ending(lambda: 0, []) == 2

"""Clusters that are not there, and Ray that is not installed: one line, soon, and exit code 2."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.__main__ import _main
from runners.launchers.ray import connection
from tests.runners.scripted_runs import write_study


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody listens, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def said(folder: Path, launcher: str, capsys: pytest.CaptureFixture[str]) -> str:
    path, start = write_study(folder, ["well", "print"]), time.monotonic()
    code = _main(["run", str(path), "--launcher", launcher, "--out", str(folder / "run"), "--quiet"])
    assert code == 2
    assert time.monotonic() - start < 60
    assert not (folder / "run").exists()
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_without_ray_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    line = said(tmp_path, "ray", capsys)
    assert line.endswith("Ray is not installed; pip install 'architecture-ablations[ray]'")


@pytest.mark.parametrize("listens", [True, False], ids=["silent", "closed"])
@pytest.mark.parametrize("by", ["argument", "RAY_ADDRESS"])
def test_a_cluster_that_does_not_answer_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    silent_port: int,
    listens: bool,
    by: str,
) -> None:
    monkeypatch.setattr(connection, "REACH_SECONDS", 4.0)
    address = f"127.0.0.1:{silent_port if listens else 1}"
    if by == "RAY_ADDRESS":
        monkeypatch.setenv("RAY_ADDRESS", address)
    line = said(tmp_path, "ray" if by == "RAY_ADDRESS" else f"ray:{address}", capsys)
    assert line.startswith(f"ablate: --launcher ray: no cluster at {address} (")
    assert "expected HOST:PORT or auto" in line


def test_a_launcher_that_takes_no_address_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = said(tmp_path, "local:4", capsys)
    assert line == "ablate: launcher 'local' takes nothing behind a colon; use --launcher local"

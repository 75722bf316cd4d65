"""Logs: never longer than their bounds, with the first and the last that was printed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners import printed
from runners.printed import MOST_BYTES, curb, finished, log_name, shorten


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "log.txt"


@given(lengths=st.lists(st.integers(0, 3 * MOST_BYTES), min_size=1, max_size=5))
def test_however_often_it_is_cut_a_log_holds_both_ends_and_the_number_of_bytes_between(
    path: Path, lengths: list[int]
) -> None:
    path.write_bytes(b"")
    said = b""
    for number, length in enumerate(lengths):
        part = bytes(str(number), "ascii") * length
        said += part
        with path.open("ab") as file:
            file.write(part)
        shorten(path)
    kept = path.read_bytes()
    assert len(kept) <= MOST_BYTES
    if len(said) <= MOST_BYTES:
        assert kept == said
        return
    head, line, tail = kept.partition(b"\n[... ")
    left_out, _, tail = (line + tail).removeprefix(b"\n[... ").partition(b" bytes left out ...]\n")
    assert said.startswith(head)
    assert said.endswith(tail)
    assert min(len(head), len(tail)) > MOST_BYTES // 3
    assert len(head) + int(left_out) + len(tail) == len(said)


def test_a_log_that_nothing_was_printed_to_is_taken_away(tmp_path: Path) -> None:
    name = log_name("trial", "here", 1)
    assert name == "logs/trial-here-1.txt"
    assert finished(tmp_path, name) is None
    (tmp_path / "logs").mkdir()
    (tmp_path / name).write_text("")
    assert finished(tmp_path, name) is None
    assert not (tmp_path / name).exists()
    (tmp_path / name).write_text("x")
    assert finished(tmp_path, name) == name


def test_while_its_trial_is_at_work_a_log_is_cut_only_once_it_is_far_too_long(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 2 * MOST_BYTES)
    curb(tmp_path, "log")
    assert (tmp_path / "log").stat().st_size == 2 * MOST_BYTES
    (tmp_path / "log").write_bytes(b"x" * (printed._FAR * MOST_BYTES + 1))
    curb(tmp_path, "log")
    assert (tmp_path / "log").stat().st_size == MOST_BYTES
    curb(tmp_path, "none")

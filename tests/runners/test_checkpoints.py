"""What is swept up at the start of a run, and what is left for a trial to go on from."""

from pathlib import Path

import pytest

from results.records.directory import write_record
from results.records.files import StorageError
from results.records.record import Outcome, Record, Status
from runners import checkpoints
from runners.run_folder import RunFolder

TRIAL, ENVIRONMENT = "0123456789abcdef", "abcdef012345"


def record(*statuses: Status, attempt: int = 1, environment: str = ENVIRONMENT) -> Record:
    outcomes = tuple(
        Outcome(f"arm{number}", "resnet", {}, status=status, reason=None if status == "ok" else "planted")
        for number, status in enumerate(statuses)
    )
    return Record(TRIAL, "convergence", "seed-0", environment, attempt, "2026-01-01", 1.0, outcomes)


def kept(run: Path, environment: str = ENVIRONMENT) -> Path:
    path = checkpoints.path_of(TRIAL, RunFolder(run, environment))
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    ("status", "stays"),
    [
        ("ok", False),
        ("diverged", False),
        ("out_of_memory", False),
        ("not_applicable", False),
        ("failed", True),
        ("killed", True),
        ("timed_out", True),
    ],
)
def test_a_file_goes_with_a_final_record(tmp_path: Path, status: Status, stays: bool) -> None:
    path, found = kept(tmp_path), record(status)
    checkpoints.discard(found, RunFolder(tmp_path, ENVIRONMENT))
    assert path.exists() == stays
    kept(tmp_path)
    write_record(tmp_path, found)
    checkpoints.sweep(tmp_path)
    assert path.exists() == stays


def test_records_of_other_environments_and_earlier_attempts_say_nothing(tmp_path: Path) -> None:
    path, other = kept(tmp_path), kept(tmp_path, "elsewhere")
    write_record(tmp_path, record("killed"))
    write_record(tmp_path, record("ok", environment="elsewhere"))
    (tmp_path / "records" / f"{TRIAL}-{ENVIRONMENT}-2.json").write_text("damaged")
    checkpoints.sweep(tmp_path)
    assert path.exists()
    assert not other.exists()
    write_record(tmp_path, record("ok", attempt=3))
    checkpoints.sweep(tmp_path)
    assert not path.exists()


def test_half_written_files_are_swept_up_and_what_is_nobodys_is_left(tmp_path: Path) -> None:
    folder = kept(tmp_path).parent
    for name in (".x1y2.tmp", "notes.txt", ".hidden"):
        (folder / name).touch()
    checkpoints.sweep(tmp_path)
    assert {path.name for path in folder.iterdir()} == {
        f"{TRIAL}-{ENVIRONMENT}.safetensors",
        "notes.txt",
        ".hidden",
    }


def test_a_link_is_not_swept_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".x.tmp").touch()
    (tmp_path / checkpoints.FOLDER).symlink_to(elsewhere)
    with pytest.raises(StorageError, match="is a link"):
        checkpoints.sweep(tmp_path)
    assert (elsewhere / ".x.tmp").exists()

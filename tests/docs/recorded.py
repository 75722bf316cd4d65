"""The run directories that pages of docs/ show: recorded ones, and planted ones where none was recorded."""

import shutil
import tarfile
from pathlib import Path

from results.records.directory import read_records

ARCHIVES = Path(__file__).parents[1] / "data" / "recorded"


def unpacked(name: str, folder: Path) -> Path:
    """A run directory as an archive of `tests/data/recorded` holds it, in `folder/runs/NAME`."""
    runs = folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    with tarfile.open(ARCHIVES / f"{name}.tar.gz") as archive:
        archive.extractall(runs, filter="data")
    return runs / name


def quick_and_earlier(folder: Path) -> None:
    """`runs/quick`, and `runs/earlier` as the same was after six of its eight timed processes."""
    quick = unpacked("quick", folder)
    earlier = Path(shutil.copytree(quick, folder / "runs" / "earlier"))
    for record in read_records(earlier)[0]:
        if record.block in {"process-6", "process-7"}:
            (earlier / "records" / record.file_name).unlink()

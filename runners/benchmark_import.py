"""Importing benchmarks that pytest-benchmark wrote; needs no PyTorch."""

from collections.abc import Iterable
from pathlib import Path

from results.frames.benchmarks import version_of
from results.records.benchmarks import BenchmarkFile, store
from results.records.files import RecordError
from results.records.pytest_benchmark import read
from results.tables.format import count
from runners.errors import BadInput

Files = list[tuple[Path, BenchmarkFile]]


def read_all(paths: Iterable[Path]) -> Files:
    """Read and check files, all of them before anything is done with one.

    Raises:
        BadInput: Some are not what pytest-benchmark writes; a line each.
    """
    files, mistakes = [], []
    for path in paths:
        try:
            files.append((path, read(path)))
        except RecordError as error:
            mistakes.append(str(error))
    if mistakes:
        raise BadInput(mistakes)
    return files


def import_into(directory: Path, files: Files) -> list[str]:
    """Store what is new in a run directory, made if there is none; a line says what became of each file."""
    said = []
    for path, file in files:
        if store(directory, [file]):
            version = version_of(file)
            said.append(f"{path}: imported {count(len(file.benchmarks), 'benchmark')} of {version}")
        else:
            said.append(f"{path}: imported before; a process counts once")
    return said

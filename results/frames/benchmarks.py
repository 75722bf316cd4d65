"""Imported benchmarks as a tidy frame, and how versions of the code and contexts of blocks are named."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from results.records.benchmarks import BenchmarkFile
from results.records.files import dump

COLUMNS = [
    *("file", "environment", "commit", "committed_at", "dirty", "measured_at", "machine", "cpu"),
    *("benchmark", "name", "group", "block", "level", "is_baseline", "mode"),
    *("image_size", "batch_size", "channels", "median_seconds", "iqr_seconds", "min_seconds"),
    *("rounds", "iterations", "version"),
]
ORDER = ["block", "image_size", "batch_size", "channels", "mode", "group", "is_baseline", "level"]


def benchmarks(files: Iterable[BenchmarkFile]) -> pd.DataFrame:
    """One row per file and benchmark, the first measured first; `version` names the version of the code."""
    # An id is a hash of the whole file: found out once per file, not once per row.
    named = sorted(((file.measured_at, file.id, file) for file in files), key=lambda entry: entry[:2])
    rows = [row for _, name, file in named for row in _rows(file, name)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("image_size", "batch_size", "channels"):
        table[name] = table[name].astype("Int64")
    return table


def _rows(file: BenchmarkFile, name: str) -> list[dict[str, Any]]:
    known = {
        "file": name,
        "environment": file.environment,
        "commit": file.commit,
        "committed_at": file.committed_at,
        "dirty": file.dirty,
        "measured_at": file.measured_at,
        "machine": file.machine.get("machine", ""),
        "cpu": file.machine.get("cpu", ""),
        "version": version_of(file),
    }
    return [known | benchmark for benchmark in dump(file)["benchmarks"]]


def version_of(file: BenchmarkFile) -> str:
    """The version of the code: `1a2b3c4d5e`, `1a2b3c4d5e with changes`, `no commit`."""
    commit = file.commit[:10] or "no commit"
    return f"{commit} with changes" if file.dirty else commit


def versions(table: pd.DataFrame) -> list[str]:
    """Names of the versions of the code that were timed, in the order in which they were committed.

    A commit with uncommitted changes is a version of its own and follows its commit.
    """
    if table.empty:
        return []
    # Without a commit there is only the time of measuring.
    moments = table["committed_at"].where(table["committed_at"] != "", table["measured_at"])
    dated = table.assign(moment=pd.to_datetime(moments, utc=True, format="ISO8601"))
    first = dated.sort_values(["moment", "dirty", "measured_at"], kind="stable")
    return [str(version) for version in first["version"].unique()]


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Benchmarks by block and size, baselines first; processes time them in orders of their own."""
    ascending = [name != "is_baseline" for name in ORDER]
    return table.sort_values(ORDER, ascending=ascending, na_position="first", kind="stable")


def newest(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last version in each environment, of a table that is in the order of versions."""
    last = table.groupby("environment", sort=False)["version"].transform("last")
    return table[table["version"] == last]


def contexts(table: pd.DataFrame) -> "pd.Series[str]":
    """For each row what tells its group from others of the same block: `64 px, forward`.

    Sizes that are the same throughout a block are left out; where nothing is known, the group's own name.
    """
    said = pd.DataFrame(index=table.index)
    for name, form in (
        *(("image_size", "{} px"), ("batch_size", "batch {}")),
        *(("channels", "{} channels"), ("mode", "{}")),
    ):
        column = table[name].astype(object).where(table[name].notna(), "")
        varies = column.groupby(table["block"]).transform("nunique") > 1
        kept = (varies | (name == "mode")) & (column != "")
        said[name] = column.map(form.format).where(kept, "")
    names = [", ".join(part for part in line if part) for line in said.itertuples(index=False, name=None)]
    joined = pd.Series(names, index=table.index, dtype=object)
    same = table["group"].groupby([table["environment"], table["version"], table["block"], joined])
    return joined.where((joined != "") & (same.transform("nunique") == 1), table["group"])

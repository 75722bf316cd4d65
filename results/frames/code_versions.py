"""How versions of the code and contexts of building blocks are named."""

import pandas as pd


def versions(benchmarks: pd.DataFrame) -> list[str]:
    """Names of the versions of the code that were timed, in the order in which they were committed.

    A commit with uncommitted changes is a version of its own and follows its commit.
    """
    named = benchmarks.assign(version=version_of(benchmarks))
    # Without a commit there is only the time of measuring.
    named["moment"] = pd.to_datetime(
        named["committed_at"].where(named["committed_at"] != "", named["measured_at"]),
        utc=True,
        format="ISO8601",
    )
    first = named.sort_values(["moment", "dirty", "measured_at"], kind="stable")
    return [str(version) for version in first["version"].unique()]


def version_of(benchmarks: pd.DataFrame) -> "pd.Series[str]":
    """For each row the version of the code: `1a2b3c4d5e`, `1a2b3c4d5e with changes`, `no commit`."""
    commit = benchmarks["commit"].str.slice(0, 10).where(benchmarks["commit"] != "", "no commit")
    return commit.where(~benchmarks["dirty"].astype(bool), commit + " with changes")


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

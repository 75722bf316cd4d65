"""What the report says about building blocks that pytest-benchmark timed."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from results.frames.benchmarks import contexts, newest
from results.report.table import Cell, Table
from results.run import Run
from results.tables import format as text

Row = dict[Hashable, Any]


@dataclass(frozen=True, slots=True)
class BlocksSection:
    """Building blocks of one environment, at the last version of the code that was timed there.

    Attributes:
        environment: Id of the environment.
        machine: The environment in words.
        version: The version of the code, as a title.
        dirty: Whether that is a commit with uncommitted changes.
        measured: When its first and last file were measured, as dates.
        files: How many files of that version there are.
        blocks: For each block its tables, one per group.
        changes: By later version, each benchmark against the first version; empty where there is one.
        figures: Names, titles and alternative texts of the figures, without ending.
    """

    environment: str
    machine: str
    version: str
    dirty: bool
    measured: str
    files: int
    blocks: list[tuple[str, list[Table]]]
    changes: list[Table]
    figures: list[tuple[str, str, str]] = field(default_factory=list)


def blocks_sections(run: Run) -> list[BlocksSection]:
    """A section per environment with imported benchmarks; none where nothing was imported."""
    levels, changes = newest(run.building_blocks()), run.building_block_changes()
    return [
        _section(run, str(environment), mine, changes[changes["environment"] == environment])
        for environment, mine in levels.groupby("environment", sort=False)
    ]


def _section(run: Run, environment: str, levels: pd.DataFrame, changes: pd.DataFrame) -> BlocksSection:
    first = levels.iloc[0]
    known = run.benchmarks[
        (run.benchmarks["environment"] == environment)
        & (run.benchmarks["commit"] == first["commit"])
        & (run.benchmarks["dirty"] == first["dirty"])
    ]
    days = known["measured_at"].str.slice(0, 10)
    named = levels.assign(context=contexts(levels))
    return BlocksSection(
        environment,
        _machine(run.environments.get(environment, {})) or environment,
        f"At commit {first['version']}" if first["commit"] else "Of no known commit",
        bool(first["dirty"]),
        " to ".join(dict.fromkeys([days.min(), days.max()])),
        int(known["file"].nunique()),
        [
            (str(block) or "Other benchmarks", [_levels_table(str(block), rows) for rows in _groups(mine)])
            for block, mine in sorted(named.groupby("block", sort=False), key=lambda pair: pair[0] == "")
        ],
        [_changes_table(rows) for _, rows in changes.groupby("version", sort=False)],
    )


def _machine(facts: dict[str, Any]) -> str:
    """`AMD EPYC, 2 cores, x86_64, Linux 6.1, Python 3.11.7, PyTorch 2.9.1, threads: 1`."""
    forms = {
        "cpu": "{}",
        "cores": "{} cores",
        "machine": "{}",
        "system": "{}",
        "python": "Python {}",
        "torch": "PyTorch {}",
        "threads": "threads: {}",
    }
    return ", ".join(form.format(facts[name]) for name, form in forms.items() if name in facts)


def _groups(rows: pd.DataFrame) -> list[pd.DataFrame]:
    return [group for _, group in rows.groupby("group", sort=False)]


def _levels_table(block: str, rows: pd.DataFrame) -> Table:
    columns = ["level", "median", "ratio", "95 % interval", "n", "adjusted p", "verdict", "note"]
    first = rows.iloc[0]
    caption = str(first["group"]) or "in no group"
    if block and first["channels"] is not pd.NA:
        caption += f" ({first['channels']} channels in)"
    return Table(
        columns, [[Cell(str(row["level"])), *_numbers(row)] for row in rows.to_dict("records")], caption
    )


def _changes_table(rows: pd.DataFrame) -> Table:
    first = rows.iloc[0]
    columns = ["benchmark", "before", "after", "ratio", "95 % interval", "n", "adjusted p", "verdict", "note"]
    cells = [
        [
            Cell(f"{row['level']}: {row['group']}" if row["group"] else str(row["level"])),
            Cell(text.value(row["baseline_value"], row["unit"])),
            *_numbers(row, f"{row['n']} against {row['n_first']}"),
        ]
        for row in rows.to_dict("records")
    ]
    before = ", ".join(rows["first_version"].unique())
    # Where the code did change something, the table stands open.
    decided = bool(rows["verdict"].isin(["better", "worse"]).any())
    return Table(columns, cells, f"{first['version']} against {before}", decided)


def _numbers(row: Row, n: str | None = None) -> list[Cell]:
    verdict, unit = row["verdict"], row["unit"]
    kind = row["effect_kind"]
    known = not text.missing(row["effect"])
    ratio, change = text.effect(row["effect"], kind, unit), text.change(row["effect"], kind, unit)
    return [
        Cell(text.value(row["value"], unit)),
        Cell((ratio if ratio == change else f"{ratio} ({change})") if known else "—"),
        Cell((known and text.interval(row["ci_low"], row["ci_high"], kind, unit)) or "—"),
        Cell(n or str(row["n"])),
        Cell(text.p_value(row["p_adjusted"])),
        Cell(f"{text.MARKS[verdict]} {verdict}" if verdict else "—", verdict),
        Cell(row["note"]),
    ]

"""Building blocks that pytest-benchmark timed: level against level, commit against commit."""

from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from results import plots
from results.frames.benchmarks import contexts, newest
from results.report.drawing import MOST_LINES, drawn_suffix, most_changed_rows
from results.report.effect_tables import full_effect, verdict_entry
from results.report.notes import undecided
from results.report.section import (
    Entry,
    Figure,
    Group,
    Paragraph,
    Part,
    Section,
    Sentence,
    Table,
    Topic,
    words,
)
from results.tables import format as text
from results.tables import verdict_words
from results.tables.analysis import Analysis

Row = dict[Hashable, Any]

_MEANING = (
    "Timed on their own by pytest-benchmark and imported. n counts files, a process each: the rounds of a "
    "process are one number, their median. A level is set against its group's baseline within the same "
    "process; the interval holds for all levels of a group at once. Levels take turns in no order that "
    "cancels a drift, so a difference must show over processes. What a block costs here is no promise about "
    "the network that it stands in: there, other layers fill the caches."
)
_CHANGES = (
    "Each benchmark at a later commit against the first commit at which it was timed, the stored baseline. "
    "The two were timed at different times, so nothing is paired: whatever else changed on the machine in "
    "between is in these numbers too. From six files on either side there is an interval (Welch's, on the "
    "logarithm, holding for all benchmarks of a commit at once) and a verdict."
)
_FACTS = {
    "cpu": "{}",
    "cores": "{} cores",
    "machine": "{}",
    "system": "{}",
    "python": "Python {}",
    "torch": "PyTorch {}",
    "threads": "threads: {}",
}


def build(run: Analysis, _: str) -> Section:
    """All that was imported, by environment, at the last version of the code that was timed there."""
    if not run.imported:
        return Section()
    levels, changes = run.building_blocks, run.building_block_changes
    data = {
        "building_blocks": levels.assign(note=[_note(row) for row in levels.to_dict("records")]),
        "building_block_changes": changes.assign(note=[_note(row) for row in changes.to_dict("records")]),
    }
    last = newest(levels)
    environments = list(last["environment"].unique())
    parts: list[Part] = []
    evidence: list[Part] = [words(_MEANING)]
    for environment in environments:
        suffix = f"-{environment}" if len(environments) > 1 else ""
        mine = last[last["environment"] == environment]
        later = changes[changes["environment"] == environment]
        parts += _told(run, mine, later, suffix)
        evidence += _tables(mine, later)
    return Section(parts, data=data, evidence=evidence)


def _told(run: Analysis, levels: pd.DataFrame, changes: pd.DataFrame, suffix: str) -> Iterator[Part]:
    """How many levels are slower or faster, and the figure that shows which."""
    compared = levels[levels["effect"].notna()]
    counted = [f"Of {text.count(len(compared), 'comparison')} {_counts(compared)}."] if len(compared) else []
    if len(changes):
        counted.append(f"Against an earlier commit: {_counts(changes)}.")
    said = [Sentence(one) for one in counted]
    yield Paragraph([*said, Sentence(_described(run, levels), tone="" if said else "soft")])
    if len(compared):
        named = compared.drop_duplicates(["block", "level"])
        names = ", ".join(f"{row.level} ({row.block})" for row in named.head(20).itertuples())
        alt = (
            f"Forest plot: time of a call against the baseline with simultaneous 95 % intervals for {names}."
        )
        title = "What does a call take, each level against its group's baseline?"
        shown = most_changed_rows(compared, MOST_LINES)
        title += drawn_suffix(len(shown), len(compared))
        yield Figure(f"building-blocks{suffix}", title, alt, partial(plots.building_blocks, shown))


def _counts(rows: pd.DataFrame) -> str:
    """`3 slower, 1 faster, 4 the same within the margin, 2 not decided`."""
    words_ = {"worse": "slower", "better": "faster", "equivalent": "the same within the margin"}
    found = rows["verdict"].map(lambda verdict: words_.get(verdict, "not decided")).value_counts()
    return ", ".join(f"{found[word]} {word}" for word in (*words_.values(), "not decided") if word in found)


def _tables(levels: pd.DataFrame, changes: pd.DataFrame) -> Iterator[Part]:
    compared = levels[levels["effect"].notna()]
    if len(compared):
        yield _overview(compared.assign(context=contexts(compared)))
    blocks: dict[str, dict[str, list[Row]]] = {}
    for row in levels.to_dict("records"):
        blocks.setdefault(row["block"], {}).setdefault(row["group"], []).append(row)
    for block, groups in sorted(blocks.items(), key=lambda pair: pair[0] == ""):
        tables = [_levels_table(block, rows) for rows in groups.values()]
        yield Group(block or "Other benchmarks", tables, folded=True)
    tables = [_changes_table(rows) for _, rows in changes.groupby("version", sort=False)]
    if tables:
        yield Group("What a change to the code did", [words(_CHANGES), *tables])


def _described(run: Analysis, levels: pd.DataFrame) -> str:
    """Version, files, dates and machine in a sentence."""
    first = levels.iloc[0]
    known = run.benchmarks[
        (run.benchmarks["environment"] == first["environment"])
        & (run.benchmarks["version"] == first["version"])
    ]
    facts = run.environments.get(str(first["environment"]), {})
    machine = ", ".join(form.format(facts[name]) for name, form in _FACTS.items() if name in facts)
    days = known["measured_at"].str.slice(0, 10)
    files = text.count(int(known["file"].nunique()), "file")
    when = " to ".join(dict.fromkeys([days.min(), days.max()]))
    at = f"At commit {first['version']}" if first["commit"] else "Of no known commit"
    changed = "The code had changes that no commit holds: files of different changes cannot be told apart."
    said = f"{at}: {files}, measured {when}. {machine or first['environment']}."
    return f"{said} {changed}" if first["dirty"] else said


def _overview(compared: pd.DataFrame) -> Table:
    """Levels down, contexts across, in each cell the change against the baseline."""
    columns = list(dict.fromkeys(compared["context"]))
    rows = []
    for (block, level), mine in compared.groupby(["block", "level"], sort=False):
        found = dict(zip(mine["context"], mine.to_dict("records"), strict=True))
        cells = (_change(found[context]) if context in found else Entry("—") for context in columns)
        against = " or ".join(map(str, mine["baseline_level"].unique()))
        rows.append([Entry(f"{block}: {level}", detail=f"against {against}"), *cells])
    return Table(["block", *columns], rows, "Building blocks", brief=True)


def _change(row: Row) -> Entry:
    change = text.change(row["effect"], row["effect_kind"], row["unit"])
    return Entry(f"{verdict_words.sign(row)} {change}", row["verdict"])


def _levels_table(block: str, rows: list[Row]) -> Table:
    columns = ["level", "median", "ratio", "95 % interval", "n", "adjusted p", "verdict", "note"]
    first = rows[0]
    caption = str(first["group"]) or "in no group"
    if block and first["channels"] is not pd.NA:
        caption += f" ({first['channels']} channels in)"
    return Table(columns, [[Entry(str(row["level"])), *_numbers(row)] for row in rows], caption)


def _changes_table(rows: pd.DataFrame) -> Table:
    first = rows.iloc[0]
    columns = ["benchmark", "before", "after", "ratio", "95 % interval", "n", "adjusted p", "verdict", "note"]
    cells = [
        [
            Entry(f"{row['level']}: {row['group']}" if row["group"] else str(row["level"])),
            Entry(text.value(row["baseline_value"], row["unit"])),
            *_numbers(row, f"{row['n']} against {row['n_first']}"),
        ]
        for row in rows.to_dict("records")
    ]
    before = ", ".join(rows["first_version"].unique())
    # Where the code did change something, the table stands open.
    decided = bool(rows["verdict"].isin(["better", "worse"]).any())
    caption = f"{first['version']} against {before}"
    return Table(columns, cells, caption, open=decided, long_names=True)


def _numbers(row: Row, n: str | None = None) -> list[Entry]:
    unit, kind = row["unit"], row["effect_kind"]
    known = not text.missing(row["effect"])
    return [
        Entry(text.value(row["value"], unit)),
        Entry(full_effect(row) if known else "—"),
        Entry((known and text.interval(row["ci_low"], row["ci_high"], kind, unit)) or "—"),
        Entry(n or str(row["n"])),
        Entry(text.p_value(row["p_adjusted"])),
        verdict_entry(row) if row["verdict"] else Entry("—"),
        Entry(_note(row)),
    ]


def _note(row: Row) -> str:
    """Why a row says what it says."""
    if row.get("baselines", 1) != 1:
        count = f"{row['baselines']} baselines" if row["baselines"] else "no baseline"
        return f"not compared: its group names {count}"
    if row.get("is_baseline"):
        return "baseline"
    if row["cause"] == "unmeasured":
        return "no file holds both this benchmark and its baseline"
    said = ["detectable, below the margin"] if row["detectable"] else []
    later = "n_first" in row
    counted = row | {"n": min(row["n"], row["n_first"])} if later else row
    said += undecided(counted)
    if later and said and not pd.isna(row["n_needed"]):
        said[-1] += ", on either side"
    if later and row["cause"] == "too_few":
        said = [f"{row['n']} and {row['n_first']} files", *said]
    return "; ".join(said)


TOPIC = Topic(
    "building-blocks",
    "Building blocks",
    60,
    build,
    per_environment=False,
    summary="benchmarks of stems, pools, norms and blocks that were imported",
)

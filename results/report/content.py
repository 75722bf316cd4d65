"""What stands in the report, as text in tables; the templates only lay it out."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR, Workload
from results.report.memory import MemorySection, memory_sections
from results.report.table import Cell, Table
from results.report.throughput import ThroughputSection, throughput_section
from results.report.words import Phrase, answers
from results.run import Run
from results.tables import format as text
from results.tables.headline import column_names, headline_cells, noise_line
from results.verdicts.divergence import DIVERGED

Row = dict[Hashable, Any]


@dataclass(frozen=True, slots=True)
class WorkloadSection:
    """A workload and the tables of its effects."""

    workload: Workload
    tables: list[Table]


@dataclass(frozen=True, slots=True)
class EnvironmentSection:
    """Everything found in one environment.

    Attributes:
        name: Id of the environment.
        answers: For each arm its title, its baseline levels and what it costs and buys.
        headline: The headline table.
        figures: Names and alternative texts of the figures, without ending.
        workloads: Effect tables by workload.
        control: The baseline against its duplicate.
        noise: What the duplicate says about noise.
        undecided: What could not be decided, and what would decide it.
        memory: What memory profiles explain, by workload; empty where none was recorded.
        throughput: What was timed; None where nothing was.
        noise_floor: The noise floor of the headline metrics in words; empty where none varies.
    """

    name: str
    answers: list[tuple[str, str, list[Phrase]]]
    headline: Table
    workloads: list[WorkloadSection]
    control: Table
    noise: Table
    undecided: Table
    memory: list[MemorySection]
    throughput: ThroughputSection | None
    noise_floor: str
    figures: list[tuple[str, str, str]] = field(default_factory=list)


def environment_section(run: Run, environment: str) -> EnvironmentSection:
    """All that the report says about one environment."""
    effects = run.effects()
    effects = effects[effects["environment"] == environment].reset_index(drop=True)
    effects = effects.assign(column=column_names(effects))
    noise = run.noise_floor()
    return EnvironmentSection(
        environment,
        [(arm, _instead(run, arm), phrases) for arm, phrases in answers(effects)],
        headline_table(effects),
        [WorkloadSection(w, _effect_tables(effects, w.name)) for w in run.study.workloads],
        _rows_table(effects[effects["factor"] == CONTROL_FACTOR].to_dict("records"), "column"),
        _noise_table(noise[noise["environment"] == environment].to_dict("records")),
        _undecided(effects),
        memory_sections(run, environment),
        throughput_section(run, environment),
        noise_line(effects),
    )


def _instead(run: Run, arm: str) -> str:
    first = {factor.name: factor.levels[0] for factor in run.study.factors}
    changes = next((a.changes for a in run.study.arms if a.name == arm), {})
    return ", ".join(f"{name} = {first[name]}" for name in sorted(changes) if name in first)


def headline_table(effects: pd.DataFrame) -> Table:
    """Arms down, headline metrics across; what is inert says so instead of a verdict."""
    cells = headline_cells(effects)
    columns = list(cells["column"].unique())
    rows = []
    for arm, group in cells.groupby("arm", sort=False):
        mine: dict[str, Row] = {str(row["column"]): row for row in group.to_dict("records")}
        rows.append([Cell(str(arm)), *(_headline_cell(mine.get(column)) for column in columns)])
    return Table(["arm", *columns], rows)


def _headline_cell(row: Row | None) -> Cell:
    if row is None:
        return Cell("—")
    return Cell("inert", "inert") if row["inert"] else Cell(row["text"], row["verdict"])


def _effect_tables(effects: pd.DataFrame, workload: str) -> list[Table]:
    """One table per metric and context; those of headline metrics stand open."""
    rows = effects[(effects["workload"] == workload) & (effects["factor"] != CONTROL_FACTOR)]
    # Where neither arm nor baseline diverged, a row would only repeat that.
    rows = rows[(rows["metric"] != DIVERGED.name) | (rows["value"] + rows["baseline_value"] > 0)]
    tables = []
    for column, group in rows.groupby("column", sort=False):
        described = str(column) or "nothing was measured"
        records = group.to_dict("records")
        tables.append(_rows_table(records, "arm", described, bool(group["headline"].any())))
    return tables


def _rows_table(rows: list[Row], first: str, caption: str = "", is_open: bool = True) -> Table:
    # Exact metrics have no noise floor, and nothing is gained by a column that says so.
    noisy = any(not text.missing(row["noise_floor"]) for row in rows)
    columns = ["baseline", "value", "effect", "95 % interval", *(["noise floor"] if noisy else [])]
    return Table(
        ["arm" if first == "arm" else "metric", *columns, "n", "adjusted p", "verdict", "note"],
        [[Cell(str(row[first])), *_numbers(row, noisy)] for row in rows],
        caption,
        is_open,
    )


def _numbers(row: Row, noisy: bool) -> list[Cell]:
    kind, unit, verdict = row["effect_kind"], row["unit"], row["verdict"]
    change = text.change(row["effect"], kind, unit)
    exact = "exact" in row["note"].split("; ")
    ratio = kind == "ratio" and not text.missing(row["effect"])
    return [
        Cell(text.value(row["baseline_value"], unit)),
        Cell(text.value(row["value"], unit)),
        Cell(f"{text.effect(row['effect'], kind, unit)} ({change})" if ratio else change),
        Cell("exact" if exact else text.interval(row["ci_low"], row["ci_high"], kind, unit) or "—"),
        *([Cell(text.either_way(row["noise_floor"], kind, unit))] if noisy else []),
        Cell(str(row["n"])),
        Cell(text.p_value(row["p_adjusted"])),
        Cell(f"{text.MARKS[verdict]} {verdict}", verdict),
        Cell(row["note"] or ""),
    ]


def _noise_table(rows: list[Row]) -> Table:
    cells = []
    for row in rows:
        kind, unit = row["effect_kind"], row["unit"]
        shown = text.margin(float(row["noise_floor"]), kind, unit)
        mark = Cell("✗ failed", "invalid") if row["verdict"] == "failed" else Cell("✓ quiet")
        label = f"{row['label']} [{row['workload']}]"
        cells.append([Cell(label), Cell(shown), Cell(str(row["n"])), mark])
    return Table(["metric", "smallest difference this run can tell from none", "n", "A/A control"], cells)


def _undecided(effects: pd.DataFrame) -> Table:
    rows = effects[(effects["verdict"] == "inconclusive") & effects["effect"].notna()]
    rows = rows[(rows["factor"] != CONTROL_FACTOR) & ~rows["inert"].astype(bool)]
    rows = rows[rows["metric"] != DIVERGED.name]
    cells = [
        [
            Cell(str(row["arm"])),
            Cell(f"{row['column']} [{row['workload']}]"),
            Cell(text.change(row["effect"], row["effect_kind"], row["unit"])),
            Cell(text.interval(row["ci_low"], row["ci_high"], row["effect_kind"], row["unit"]) or "—"),
            Cell(text.either_way(row["noise_floor"], row["effect_kind"], row["unit"])),
            Cell(str(row["n"])),
            Cell("—" if pd.isna(row["n_needed"]) else f"{row['n_needed']:,}"),
            Cell(row["note"]),
        ]
        for row in rows.to_dict("records")
    ]
    columns = ["arm", "metric", "effect so far", "95 % interval", "noise floor", "n", "n needed", "note"]
    return Table(columns, cells)


def failed(run: Run) -> Table:
    """Trials that did not end well, gathered by workload, arm, status and reason."""
    bad = run.outcomes[run.outcomes["status"] != "ok"].fillna({"reason": "no reason recorded"})
    rows = []
    for (arm, workload, status, reason), group in bad.groupby(["arm", "workload", "status", "reason"]):
        blocks = ", ".join(group["block"].unique())
        rows.append([Cell(str(arm)), *map(Cell, (str(workload), str(status), str(reason), blocks))])
    return Table(["arm", "workload", "status", "reason", "blocks"], rows)


def inert(run: Run) -> list[tuple[str, str]]:
    """Arms that change nothing, with the workloads where they do not."""
    rows = run.effects()
    rows = rows[rows["inert"].astype(bool)]
    found = rows.groupby("arm", sort=False)["workload"].agg(lambda names: ", ".join(dict.fromkeys(names)))
    return [(str(arm), str(workloads)) for arm, workloads in found.items()]


def methods(run: Run) -> Table:
    """How each workload was run."""
    done = run.outcomes.groupby("workload")["block"].nunique()
    rows = []
    for w in run.study.workloads:
        settings = ", ".join(f"{name} {value}" for name, value in sorted(w.settings.items()))
        batch = "—" if w.batch_size is None else str(w.batch_size)
        planned = text.count(w.replicates, w.block_unit)
        if w.stopping:
            planned = f"{w.replicates} to {text.count(w.stopping.at_most, w.block_unit)}"
        blocks = f"{int(done.get(w.name, 0))} of {planned}"
        values = [w.kind, w.context, f"{w.input_size} px", batch, w.precision, w.dataset or "—", blocks]
        rows.append([Cell(w.name), *map(Cell, [*values, settings or "—"])])
    return Table(
        ["workload", "probe", "context", "input", "batch", "precision", "data", "blocks", "settings"], rows
    )


def metrics(run: Run) -> Table:
    """What was measured and which difference counts."""
    rows = [
        [
            Cell(m.label),
            *map(Cell, (m.name, m.unit, f"{m.better} is better")),
            Cell(text.margin(m.margin, m.effect_kind, m.unit) if m.margin else "any difference counts"),
            Cell(m.description),
        ]
        for m in run.study.metrics
    ]
    return Table(["metric", "name", "unit", "direction", "margin", "what it is"], rows)


def environments(run: Run) -> Table:
    """What is known about each environment, one column each."""
    ids = list(run.environments)
    keys = list(dict.fromkeys(key for facts in run.environments.values() for key in facts))
    rows = [[Cell(key), *(Cell(str(run.environments[i].get(key, "—"))) for i in ids)] for key in keys]
    return Table(["", *ids], rows)


def missing(run: Run) -> Table:
    """What was planned and is not on record."""
    rows = [
        [Cell(str(row["arm"])), *(Cell(str(row[name])) for name in ("workload", "recorded", "planned"))]
        for row in run.missing().to_dict("records")
    ]
    return Table(["arm", "workload", "blocks on record", "planned"], rows)


def faults(run: Run) -> list[str]:
    """Why the report, or a part of it, is invalid; empty if it stands."""
    effects = run.effects()
    effects = effects.assign(column=column_names(effects))
    bad = effects[effects["verdict"] == "invalid"]
    control = bad[bad["factor"] == CONTROL_FACTOR]
    said = [
        f"A/A control: {row['column']} [{row['workload']}] differs between the baseline and its duplicate "
        f"({text.change(row['effect'], row['effect_kind'], row['unit'])})"
        for row in control.to_dict("records")
    ]
    others = bad[(bad["factor"] != CONTROL_FACTOR) & ~bad["note"].str.startswith("invalid, because")]
    said += [
        f"{row['arm']} [{row['workload']}]: {row['note'].split('; ')[0]}" for row in others.to_dict("records")
    ]
    return list(dict.fromkeys(said))

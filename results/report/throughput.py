"""What the report says about time: how fast each arm is, what disturbed the timing, what it cost."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from results import plots
from results.report.table import Cell, Table
from results.run import Run
from results.tables import disturbances
from results.tables import format as text

Row = Mapping[Hashable, Any]
Columns = dict[str, Callable[[Row], str]]


@dataclass(frozen=True, slots=True)
class ThroughputSection:
    """What was timed in one environment.

    Attributes:
        warnings: What disturbed the timing, and what to do about it.
        speed: For each workload and mode how fast every arm is.
        isolation: Effects beside those of processes with one arm alone; no row without a spot check.
        machine: What else the machine did, by process; no row where nothing was read.
        cost: What the timing took, and why it stopped.
    """

    warnings: list[str]
    speed: list[Table]
    isolation: Table
    machine: Table
    cost: Table


def throughput_section(run: Run, environment: str) -> ThroughputSection | None:
    """The section of an environment; None where nothing was timed."""
    speed, isolation, machine, cost, stretches, timed_arms = (
        frame[frame["environment"] == environment]
        for frame in (
            run.throughput(),
            run.isolation(),
            run.machine(),
            run.cost(),
            run.stretches,
            run.timed_arms,
        )
    )
    if speed.empty:
        return None
    beside = {w.name for w in run.study.workloads if w.belongs_to("spot_check") or w.belongs_to("sweep")}
    return ThroughputSection(
        disturbances.warnings(stretches, timed_arms, isolation),
        [
            _table(_speed(group), group, _caption(group), is_open=str(workload) not in beside)
            for (workload, _, _), group in speed.groupby(["workload", "mode", "device"], sort=False)
        ],
        _isolation_table(isolation),
        _table(_MACHINE, machine),
        _table(_COST, cost),
    )


def throughput_figures(run: Run, environment: str) -> dict[str, tuple[Figure, str, str]]:
    """Figures with title and alternative text, by name; none where nothing was timed."""
    table = run.throughput()
    table = table[table["environment"] == environment]
    effects = run.effects()
    idle = effects[effects["inert"].astype(bool)]
    inert = set(zip(idle["workload"], idle["arm"], strict=True))
    pairs = zip(table["workload"], table["arm"], strict=True)
    table = table[pd.Series([pair not in inert for pair in pairs], index=table.index, dtype=bool)]
    if table["images_per_second"].isna().all():
        return {}
    arms = ", ".join(dict.fromkeys(table[table["role"] != "control"]["arm"]))
    beside = {w.name for w in run.study.workloads if w.belongs_to("spot_check") or w.belongs_to("sweep")}
    drawn = {
        "throughput": (
            plots.throughput(table[~table["workload"].isin(beside)]),
            "Throughput: what an image takes, and in which phase of the step",
            f"Bar chart: time per image and images per second for {arms}.",
        )
    }
    members = run.study.sweeps
    swept = table[table["workload"].isin(members)]
    if len(swept):
        drawn["batch-sweep"] = (
            plots.batch_sweep(swept.assign(sweep=swept["workload"].map(members))),
            "Throughput over the batch size",
            f"Line chart: images per second against the batch size for {arms}.",
        )
    return drawn


def _speed(group: pd.DataFrame) -> Columns:
    """Columns of a table of speeds; a batch that all arms share stands in its caption."""
    return {
        name: shown for name, shown in _SPEED.items() if name != "batch" or group["batch_size"].nunique() > 1
    }


def _caption(group: pd.DataFrame) -> str:
    first = group.iloc[0]
    parts = [first["workload"], first["mode"], first["device"]]
    if group["batch_size"].nunique() == 1:
        parts.append(f"batch {group['batch_size'].max():.0f}")
    if not text.missing(first["noise_floor"]):
        parts.append(f"noise floor {text.either_way(first['noise_floor'], 'ratio', '')}")
    return ", ".join(part for part in parts if part)


def _isolation_table(isolation: pd.DataFrame) -> Table:
    rows = []
    for row in isolation.to_dict("records"):
        sides = []
        for side in ("", "isolated_"):
            ends = text.interval(row[f"{side}ci_low"], row[f"{side}ci_high"], "ratio", "") or "no interval"
            change = text.change(row[f"{side}effect"], "ratio", "")
            sides.append(Cell(f"{change} ({ends}; n = {row[f'{side}n']})"))
        where = f"{row['workload']}{', ' + row['mode'] if row['mode'] else ''}"
        verdict = Cell(row["verdict"], "invalid" if row["verdict"] == "disagree" else "")
        rows.append([Cell(row["arm"]), Cell(where), *sides, Cell(text.p_value(row["p_adjusted"])), verdict])
    return Table(["arm", "workload", "interleaved", "isolated", "adjusted p", "do they agree"], rows)


def _table(columns: Columns, frame: pd.DataFrame, caption: str = "", *, is_open: bool = True) -> Table:
    """A table of what is known: a column without any value is left out."""
    records = frame.to_dict("records")
    cells = {name: [shown(row) for row in records] for name, shown in columns.items()}
    kept = [name for name, values in cells.items() if set(values) - {"—", ""}]
    rows = [[Cell(cells[name][i]) for name in kept] for i in range(len(records))]
    return Table(kept, rows, caption, is_open)


def _in(unit: str, name: str) -> Callable[[Row], str]:
    return lambda row: text.value(row[name], unit)


def _whole(name: str) -> Callable[[Row], str]:
    return lambda row: "—" if text.missing(row[name]) else f"{row[name]:,.0f}"


def _said(name: str) -> Callable[[Row], str]:
    return lambda row: str(row[name] or "")


def _range(name: str, unit: str) -> Callable[[Row], str]:
    """`0.10, at most 0.80`: median and maximum over a process's stretches."""

    def shown(row: Row) -> str:
        median, most = (text.value(row[f"{name}_{which}"], unit) for which in ("median", "max"))
        return median if median == most else f"{median}, at most {most}"

    return shown


def _half_width(name: str) -> Callable[[Row], str]:
    return lambda row: text.either_way(row[name], "ratio", "")


def _processes(row: Row) -> str:
    planned = f"{row['at_least']}"
    planned += f" to {row['at_most']}" if row["at_most"] != row["at_least"] else ""
    return f"{row['processes']} of {planned}"


def _unsteady(row: Row) -> str:
    late = row["unsteady_processes"]
    return "—" if text.missing(late) or not late else f"{late:.0f} of {row['processes']:.0f}"


_SPEED: Columns = {
    "arm": _said("arm"),
    "batch": _whole("batch_size"),
    "images/s": lambda row: text.value(row["images_per_second"], "count"),
    "step": _in("seconds", "step_seconds"),
    "forward": _in("seconds", "forward_seconds"),
    "backward": _in("seconds", "backward_seconds"),
    "optimizer": _in("seconds", "optimizer_seconds"),
    "latency p50": _in("seconds", "latency_p50_seconds"),
    "p95": _in("seconds", "latency_p95_seconds"),
    "p99": _in("seconds", "latency_p99_seconds"),
    "step on the device": _in("seconds", "device_step_seconds"),
    "compiling": _in("seconds", "compile_seconds"),
    "step per GMAC": _in("seconds", "step_seconds_per_gmac"),
    "GMAC/s (forward)": lambda row: text.value(row["gmacs_per_second"], "count"),
    "energy per image": lambda row: text.value(1e3 * row["energy_joules_per_image"], "mJ"),
    "steps timed": _whole("steps_timed"),
    "processes": _whole("processes"),
    "time marked": _in("fraction", "marked_share"),
    "not steady": _unsteady,
}
_MACHINE: Columns = {
    "process": lambda row: f"{row['workload']} {row['process']}",
    "arm": _said("arm"),
    "threads": _whole("threads"),
    "timed": _in("seconds", "seconds"),
    "marked": _in("fraction", "marked_share"),
    "cores used by others": _range("others_cores", "count"),
    "taken by the hypervisor": _range("steal_share", "fraction"),
    "held by the CPU limit": _range("throttled_share", "fraction"),
    "clock (MHz)": _whole("clock_mhz_median"),
    "highest clock over lowest": lambda row: text.change(1 + row["clock_spread"], "ratio", ""),
    "accelerator throttled": _in("fraction", "device_throttled_share"),
    "energy": lambda row: text.value(row["energy_joules"], "J"),
}
_COST: Columns = {
    "workload": _said("workload"),
    "schedule": _said("schedule"),
    "processes": _processes,
    "aim": _half_width("target"),
    "reached": _half_width("reached"),
    "why it stopped": _said("reason"),
    "took": _in("seconds", "seconds"),
    "timed": _in("seconds", "timed_seconds"),
    "warm-up": _in("seconds", "warmup_seconds"),
    "building": _in("seconds", "build_seconds"),
    "starting": _in("seconds", "start_seconds"),
}

"""Speeds, the machine's state and the cost of timing as tables; a column without any value is left out."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from results.report.section import Entry, Table
from results.tables import format as text

Row = Mapping[Hashable, Any]
Columns = dict[str, Callable[[Row], str]]


def speed_table(group: pd.DataFrame) -> Table:
    """How fast every arm is in one workload and mode; a batch that all arms share stands in the caption."""
    shown = {
        name: cell for name, cell in _SPEED.items() if name != "batch" or group["batch_size"].nunique() > 1
    }
    return _table(shown, group, _caption(group))


def _caption(group: pd.DataFrame) -> str:
    first = group.iloc[0]
    parts = [first["workload"], first["mode"], first["device"]]
    if group["batch_size"].nunique() == 1:
        parts.append(f"batch {group['batch_size'].max():.0f}")
    if not text.missing(first["noise_floor"]):
        parts.append(f"noise floor {text.either_way(first['noise_floor'], 'ratio', '')}")
    return ", ".join(part for part in parts if part)


def isolation_table(isolation: pd.DataFrame) -> Table:
    """Effects of interleaved workloads beside those of processes with one arm alone."""
    rows = []
    for row in isolation.to_dict("records"):
        sides = []
        for side in ("", "isolated_"):
            ends = text.interval(row[f"{side}ci_low"], row[f"{side}ci_high"], "ratio", "") or "no interval"
            change = text.change(row[f"{side}effect"], "ratio", "")
            sides.append(Entry(f"{change} ({ends}; n = {row[f'{side}n']})"))
        where = f"{row['workload']}{', ' + row['mode'] if row['mode'] else ''}"
        verdict = Entry(row["verdict"], "invalid" if row["verdict"] == "disagree" else "")
        rows.append(
            [Entry(row["arm"]), Entry(where), *sides, Entry(text.p_value(row["p_adjusted"])), verdict]
        )
    columns = ["change", "workload", "interleaved", "isolated", "adjusted p", "do they agree"]
    return Table(columns, rows, "Interleaved and isolated")


def machine_table(machine: pd.DataFrame) -> Table:
    """What else the machine did, by process."""
    return _table(_MACHINE, machine, "What else the machine did, by process", is_open=False)


def cost_table(cost: pd.DataFrame) -> Table:
    """What the timing took, and why it stopped."""
    shown = {name: cell for name, cell in _COST.items() if name != "occasion" or cost["occasion"].any()}
    return _table(shown, cost, "What the timing took, and why it stopped", is_open=False)


def _table(columns: Columns, frame: pd.DataFrame, caption: str, *, is_open: bool = True) -> Table:
    records = frame.to_dict("records")
    cells = {name: [shown(row) for row in records] for name, shown in columns.items()}
    kept = [name for name, values in cells.items() if set(values) - {"—", ""}]
    rows = [[Entry(cells[name][i]) for name in kept] for i in range(len(records))]
    return Table(kept, rows, caption, open=is_open)


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
    "change": _said("arm"),
    "batch": _whole("batch_size"),
    "images/s": _in("count", "images_per_second"),
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
    "GMAC/s (forward)": _in("count", "gmacs_per_second"),
    "energy per image": lambda row: text.value(1e3 * row["energy_joules_per_image"], "mJ"),
    "steps timed": _whole("steps_timed"),
    "processes": _whole("processes"),
    "time marked": _in("fraction", "marked_share"),
    "not steady": _unsteady,
}
_MACHINE: Columns = {
    "process": lambda row: f"{row['workload']} {row['process']}",
    "change": _said("arm"),
    "threads": _whole("threads"),
    "timed": _in("seconds", "seconds"),
    "marked": _in("fraction", "marked_share"),
    "cores used by others": _range("others_cores", "count"),
    "taken by the hypervisor": _range("steal_share", "fraction"),
    "held by the CPU limit": _range("throttled_share", "fraction"),
    "clock (MHz)": _whole("clock_mhz_median"),
    "highest clock over lowest": lambda row: text.change(1 + row["clock_spread"], "ratio", ""),
    "accelerator throttled": _in("fraction", "device_throttled_share"),
    "energy": _in("J", "energy_joules"),
}
_COST: Columns = {
    "workload": _said("workload"),
    "occasion": lambda row: f"{row['occasion']}",
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

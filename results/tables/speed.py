"""Throughput: for each arm how many images a second, and where the time of a step goes."""

from typing import Any

import pandas as pd
from scipy import stats

from results.frames.stretches import marked
from results.records.resolved_study import ResolvedStudy
from results.verdicts.cells import cells

_POOLED = [
    *("images_per_second", "step_seconds", "step_seconds_per_gmac"),
    *("forward_seconds", "backward_seconds", "optimizer_seconds"),
    *("latency_p50_seconds", "latency_p95_seconds", "latency_p99_seconds"),
    *("device_step_seconds", "compile_seconds"),
]
SPEED_COLUMNS = [
    *("environment", "workload", "mode", "device", "arm", "role", "batch_size", *_POOLED),
    *("macs", "gmacs_per_second", "energy_joules_per_image", "steps_timed", "processes"),
    *("marked_share", "unsteady_processes", "noise_floor", "sweep"),
]
_KEYS = ["environment", "workload", "mode", "arm"]
Place = tuple[str, str, str, str]


def speed(
    study: ResolvedStudy,
    series: pd.DataFrame,
    outcomes: pd.DataFrame,
    described: pd.DataFrame,
    noise: pd.DataFrame,
) -> pd.DataFrame:
    """One row per (environment, workload, mode, arm), an arm without any figure included.

    Figures are geometric means over processes of the median over a process's rounds, in seconds, images
    or joules. `gmacs_per_second` is the multiply-accumulates of one image times the images a second, in
    10^9; those of the forward pass alone, also in training, where the backward pass does about twice as
    many again. Shares lie between 0 and 1. `noise_floor` is that of the headline metric, as a ratio less 1;
    `sweep` names the workload whose sweep over batch sizes a row is part of, "" for none. What was not
    recorded is NaN.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
        described: As `described` gives it.
        noise: As `results.verdicts.noise.noise_floor` gives it.
    """
    pooled = _pooled(study, series, outcomes)
    known = _known(described)
    batches = {workload.name: workload.batch_size for workload in study.workloads}
    roles = {arm.name: arm.role for arm in study.arms}
    headline = noise[noise["metric"].isin(["step_seconds", "images_per_second"])]
    floors = headline.set_index(["environment", "workload", "mode"])["noise_floor"].to_dict()
    rows = []
    for (environment, workload, mode, device), figures in pooled.items():
        shared = pooled.get((environment, workload, "", device), {})
        for arm, own in figures.items() if mode or len(_modes(pooled, environment, workload)) == 1 else ():
            row: dict[str, Any] = dict(zip(_KEYS, (environment, workload, mode, arm), strict=True))
            row |= {"device": device, "role": roles[arm], "batch_size": batches[workload]}
            row["sweep"] = study.sweeps.get(workload, "")
            row["noise_floor"] = floors.get((environment, workload, mode))
            row |= shared.get(arm, {}) | own
            row |= known.get((environment, workload, mode, arm), {})
            rows.append(row | _derived(row))
    frame = pd.DataFrame(rows, columns=SPEED_COLUMNS)
    numbers = [name for name in SPEED_COLUMNS if name not in {*_KEYS, "device", "role", "sweep"}]
    return frame.astype(dict.fromkeys(numbers, float))


def _pooled(
    study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame
) -> dict[Place, dict[str, dict[str, Any]]]:
    """Figures by arm for each environment, workload, mode and device; mode "" where a metric has none."""
    timed = series[series["metric"].isin(_POOLED)]
    found: dict[Place, dict[str, dict[str, Any]]] = {}
    for cell in cells(study, timed, outcomes[outcomes["workload"].isin(timed["workload"])]):
        if cell.metric is None or cell.metric.name not in _POOLED:
            continue
        place = (cell.environment, cell.workload.name, cell.mode or "", cell.device or "")
        for arm in (arm.name for arm in study.arms if arm.name in cell.fates):
            values = cell.block_values(arm)
            figures = found.setdefault(place, {}).setdefault(arm, {"processes": 0})
            # The step, which every process has, comes first. What only some processes have (a percentile
            # that takes many steps) is of other processes than its neighbours, and would mislead beside them.
            partial = len(values) < figures["processes"]
            figures[cell.metric.name] = None if partial else cell.average(values)
            figures["processes"] = max(figures["processes"], len(values))
    return found


def _modes(pooled: dict[Place, Any], environment: str, workload: str) -> set[str]:
    return {mode for e, w, mode, _ in pooled if (e, w) == (environment, workload)}


def described(timed_arms: pd.DataFrame, stretches: pd.DataFrame) -> pd.DataFrame:
    """Timed arms with what the machine's state says about each.

    `marked_share` is the share of the process's stretches that bear a mark; energy is known by arm only
    where a process holds one.

    Args:
        timed_arms: As `Run.timed_arms` holds it.
        stretches: As `Run.stretches` holds it.
    """
    groups = stretches.assign(marked=marked(stretches)).groupby(["trial", "mode"], sort=False)
    of_process = pd.DataFrame(
        {
            "marked_share": groups["marked"].mean(),
            "energy_joules": groups["energy_joules"].sum(min_count=1).where(groups["arm"].first() != ""),
        }
    )
    found = timed_arms.merge(of_process, how="left", left_on=["trial", "mode"], right_index=True)
    images = found["steps"] * found["batch_size"]
    return found.assign(energy_joules_per_image=found["energy_joules"].astype(float) / images)


def _known(described: pd.DataFrame) -> dict[Place, dict[str, Any]]:
    """What the details of the processes say, by environment, workload, mode and arm."""
    found = {}
    for (environment, workload, mode, arm), group in described.groupby(_KEYS, sort=False):
        energy, last = group["energy_joules_per_image"].dropna(), group.iloc[-1]
        found[str(environment), str(workload), str(mode), str(arm)] = {
            **{name: last[name] for name in ("batch_size", "macs") if pd.notna(last[name])},
            "energy_joules_per_image": stats.gmean(energy) if len(energy) else None,
            "steps_timed": group["steps"].sum(min_count=1),
            "marked_share": group["marked_share"].mean(),
            "unsteady_processes": group["steady"].eq(False).sum(),
        }
    return found


def _derived(row: dict[str, Any]) -> dict[str, Any]:
    """Images a second where they were not measured as such, and what follows from them."""
    rate, step, batch = (row.get(name) for name in ("images_per_second", "step_seconds", "batch_size"))
    if rate is None and step and batch:
        rate = batch / step
    macs = row.get("macs")
    return {
        "images_per_second": rate,
        "gmacs_per_second": macs * rate / 1e9 if macs and rate else None,
    }

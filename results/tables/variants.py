"""One row per arm: headline metrics of all workloads side by side, and what became of it in each."""

import pandas as pd

from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts.cells import Cell, cells


def variants(study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Headline metrics first, then by workload the variant, its status and how often it diverged.

    Where records of several environments are at hand, each has columns of its own: nothing is pooled.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
    """
    environments = sorted(outcomes["environment"].unique())
    several = len(environments) > 1
    described = [{"arm": arm.name, "role": arm.role, **study.labels(arm)} for arm in study.arms]
    columns: dict[str, pd.Series] = {}
    for cell in cells(study, series, outcomes):
        if cell.metric and cell.metric.headline and not cell.workload.belongs_to("spot_check"):
            values = {arm: cell.average(cell.values(arm)) for arm in cell.workload.variants}
            columns[_column(cell, several)] = pd.Series(values, dtype=float)
    for workload in study.workloads:
        columns[f"{workload.name}: variant"] = pd.Series(workload.variants, dtype=object)
        for environment in environments or [""]:
            columns |= _fates(workload, outcomes, environment, f" ({environment})" if several else "")
    table = pd.DataFrame(described).set_index("arm")
    return pd.concat([table, pd.DataFrame(columns).reindex(table.index)], axis=1).reset_index()


def _fates(workload: Workload, outcomes: pd.DataFrame, environment: str, suffix: str) -> dict[str, pd.Series]:
    here = outcomes[(outcomes["workload"] == workload.name) & (outcomes["environment"] == environment)]
    found = {f"{workload.name}: status{suffix}": here.groupby("arm")["status"].agg(_tally)}
    if (here["status"] == "diverged").any():
        ended = here[here["status"].isin(["ok", "diverged"])].groupby("arm")["status"]
        found[f"{workload.name}: diverged{suffix}"] = ended.agg(
            lambda statuses: f"{int((statuses == 'diverged').sum())}/{len(statuses)}"
        )
    return found


def _column(cell: Cell, with_environment: bool) -> str:
    """Name of a column, with its context: `memory-224: peak_bytes (train, simulated, cuda)`."""
    assert cell.metric is not None
    parts = [cell.mode, cell.split, cell.source, cell.device, cell.environment if with_environment else None]
    return f"{cell.workload.name}: {cell.metric.name} ({', '.join(part for part in parts if part)})"


def _tally(statuses: pd.Series) -> str:
    counts = statuses.value_counts()
    if len(counts) == 1:
        return str(counts.index[0])
    return ", ".join(f"{status} {count}" for status, count in sorted(counts.items()))

"""What is known about an arm before any statistics: whether it is inert, and whether a placebo holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts.cells import Cell

FaultCode = Literal["control", "differs", "disagree", "impossible"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be believed.

    Attributes:
        code: `control`: the baseline's duplicate differs from it; `differs`: an equivalent factor changed a
            result; `disagree`: exact trials of one arm do not agree; `impossible`: the probe found that its
            own figures cannot be right.
        detail: Which: the metric and block, the values, or the probe's reason.
    """

    code: FaultCode
    detail: str


@dataclass(frozen=True, slots=True)
class Checks:
    """Findings by environment, workload and arm.

    Attributes:
        inert: (environment, workload, arm) where the arm changes no shape, operator or output.
        placebos: For each (environment, workload, arm) of a convergence workload whose factors are all
            `equivalent`, where it first differs from the baseline; None where it matches bit for bit.
        prints: The fingerprint of each arm that has one.
    """

    inert: frozenset[tuple[str, str, str]]
    prints: dict[tuple[str, str, str], str]
    placebos: dict[tuple[str, str, str], str | None]

    @classmethod
    def of(
        cls, study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
    ) -> "Checks":
        """Check a run."""
        placebos = _placebos(study, series, outcomes, curves)
        return cls(_inert(study, outcomes), _prints(study, outcomes), placebos)

    def is_inert(self, cell: Cell, arm: str) -> bool:
        """Whether the arm changes nothing in the context of the workload."""
        return (cell.environment, cell.workload.name, arm) in self.inert

    def are_alike(self, cell: Cell, pairs: Iterable[tuple[str, str]]) -> bool:
        """Whether the arms of each pair, of which there are some, compute the same in the same way."""
        place = (cell.environment, cell.workload.name)
        found = [tuple(self.prints.get((*place, arm)) for arm in pair) for pair in pairs]
        return bool(found) and all(one is not None and one == other for one, other in found)

    def is_placebo(self, cell: Cell, arm: str) -> bool:
        """Whether the arm must match the baseline bit for bit here."""
        return (cell.environment, cell.workload.name, arm) in self.placebos

    def difference(self, cell: Cell, arm: str) -> Fault | None:
        """Where an arm that must match the baseline bit for bit does not."""
        detail = self.placebos.get((cell.environment, cell.workload.name, arm))
        return None if detail is None else Fault("differs", detail)


def disagreement(cell: Cell, arm: str) -> Fault | None:
    """Exact trials of one arm that do not agree with each other: a fault, not a spread."""
    found = sorted(set(cell.values(arm))) if cell.exact else []
    if len(found) < 2:
        return None
    numbers = " and ".join(f"{value:,.10g}" for value in found[:2])
    return Fault("disagree", f"{numbers} for {arm}")


def impossibility(cell: Cell, arm: str) -> Fault | None:
    """What the probe itself found to be impossible about the arm's figures."""
    reasons = cell.reasons(arm, "invalid")
    return Fault("impossible", f"{next(iter(reasons.values()))} ({arm})") if reasons else None


def _inert(study: ResolvedStudy, outcomes: pd.DataFrame) -> frozenset[tuple[str, str, str]]:
    printed = outcomes[outcomes["fingerprint"].notna()]
    workloads = {workload.name: workload for workload in study.workloads}
    found: set[tuple[str, str, str]] = set()
    for (environment, name), here in printed.groupby(["environment", "workload"]):
        prints = here.groupby("arm")["fingerprint"].agg(set)
        same = [
            arm.name
            for arm in study.arms
            if arm.role == "arm" and arm.name in prints and len(prints[arm.name]) == 1
            if study.baseline in prints and prints[arm.name] == prints[study.baseline]
        ]
        for workload in study.workloads:
            found |= {
                (str(environment), workload.name, arm)
                for arm in same
                if _covers(workloads[str(name)], workload, (arm, study.baseline))
            }
    return frozenset(found)


def _prints(study: ResolvedStudy, outcomes: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Fingerprints by environment, workload and arm, also where another workload took them."""
    workloads = {workload.name: workload for workload in study.workloads}
    printed = outcomes[outcomes["fingerprint"].notna()]
    columns = (printed[name] for name in ("environment", "workload", "arm", "fingerprint"))
    return {
        (environment, workload.name, arm): fingerprint
        for environment, name, arm, fingerprint in zip(*columns, strict=True)
        for workload in study.workloads
        if _covers(workloads[name], workload, (arm,))
    }


def _covers(printed: Workload, workload: Workload, arms: tuple[str, ...]) -> bool:
    """Whether what was found of these arms in one workload holds in the other: same networks, same input."""
    return printed.input_size == workload.input_size and all(
        arm in workload.variants and printed.variants.get(arm) == workload.variants[arm] for arm in arms
    )


def _placebos(
    study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
) -> dict[tuple[str, str, str], str | None]:
    kinds = {factor.name: factor.kind for factor in study.factors}
    equivalent = [
        arm.name
        for arm in study.arms
        if arm.role == "arm" and {kinds.get(name) for name in arm.changes} == {"equivalent"}
    ]
    found: dict[tuple[str, str, str], str | None] = {}
    if not equivalent:
        return found
    timeless = series[series["unit"] != "seconds"]
    for workload in (w for w in study.workloads if w.block_unit == "seed"):
        for environment in sorted(outcomes["environment"].unique()):
            frames = [
                frame[(frame["workload"] == workload.name) & (frame["environment"] == environment)]
                for frame in (outcomes, timeless, curves)
            ]
            for arm in equivalent:
                if {arm, study.baseline} <= set(frames[0]["arm"]):
                    key = (environment, workload.name, arm)
                    found[key] = _first_difference(arm, study.baseline, *frames)
    return found


def _first_difference(
    arm: str, baseline: str, outcomes: pd.DataFrame, series: pd.DataFrame, curves: pd.DataFrame
) -> str | None:
    """The first block and metric in which two arms that both finished differ by a single bit."""
    status = outcomes.drop_duplicates(["block", "arm"], keep="last").set_index(["block", "arm"])["status"]
    both = status.unstack("arm")[[arm, baseline]].dropna()
    ended = both[both.isin(["ok", "diverged"]).all(axis=1)]
    for block in ended.index[ended[arm] != ended[baseline]]:
        return f"in {block} it is {ended.loc[block, arm]}, the baseline {ended.loc[block, baseline]}"
    samples = series.assign(value=series["values"].map(tuple))
    keys = (["block", "metric", "split", "mode", "source"], ["block", "metric", "split", "step"])
    for frame, key, what in zip((samples, curves), keys, ("", "curve of "), strict=True):
        last = frame.drop_duplicates([*key, "arm"], keep="last")
        one, other = (
            last[(last["arm"] == name) & last["block"].isin(ended.index)].set_index(key)["value"]
            for name in (arm, baseline)
        )
        one, other = one.align(other)
        different = one.index[(one != other) & (one.notna() | other.notna())]
        if len(different):
            block, metric = min(different.to_frame()[["block", "metric"]].itertuples(index=False))
            return f"{what}{metric} differs in {block}"
    return None

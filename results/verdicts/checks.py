"""What is known about an arm before any statistics: whether it is inert, and whether a placebo holds."""

from dataclasses import dataclass

import pandas as pd

from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts.cells import Cell


@dataclass(frozen=True, slots=True)
class Checks:
    """Findings by workload and arm.

    Attributes:
        inert: (workload, arm) where the arm changes no shape, operator or output.
        placebos: For each (environment, workload, arm) of a convergence workload whose factors are all
            `equivalent`, where it first differs from the baseline; None where it matches bit for bit.
    """

    inert: frozenset[tuple[str, str]]
    placebos: dict[tuple[str, str, str], str | None]

    @classmethod
    def of(
        cls, study: ResolvedStudy, measurements: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
    ) -> "Checks":
        """Check a run."""
        return cls(_inert(study, outcomes), _placebos(study, measurements, outcomes, curves))

    def is_inert(self, workload: str, arm: str) -> bool:
        """Whether the arm changes nothing in the context of the workload."""
        return (workload, arm) in self.inert

    def is_placebo(self, cell: Cell, arm: str) -> bool:
        """Whether the arm must match the baseline bit for bit here."""
        return (cell.environment, cell.workload.name, arm) in self.placebos

    def fault(self, cell: Cell, arm: str) -> str | None:
        """Why nothing about this arm can be believed here, if so."""
        return self.placebos.get((cell.environment, cell.workload.name, arm))


def _inert(study: ResolvedStudy, outcomes: pd.DataFrame) -> frozenset[tuple[str, str]]:
    baseline = study.baseline
    found: set[tuple[str, str]] = set()
    for probe in (workload for workload in study.workloads if workload.kind == "complexity"):
        here = outcomes[(outcomes["workload"] == probe.name) & outcomes["fingerprint"].notna()]
        prints = here.groupby("arm")["fingerprint"].agg(set)
        same = [
            arm.name
            for arm in study.arms
            if arm.role == "arm" and arm.name in prints and len(prints[arm.name]) == 1
            if baseline in prints and prints[arm.name] == prints[baseline]
        ]
        covered = [workload.name for workload in study.workloads if _covers(probe, workload)]
        found |= {(workload, arm) for workload in covered for arm in same}
    return frozenset(found)


def _covers(probe: Workload, workload: Workload) -> bool:
    return probe.variants == workload.variants and probe.input_size == workload.input_size


def _placebos(
    study: ResolvedStudy, measurements: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
) -> dict[tuple[str, str, str], str | None]:
    kinds = {factor.name: factor.kind for factor in study.factors}
    equivalent = [
        arm.name
        for arm in study.arms
        if arm.role == "arm" and {kinds.get(name) for name in arm.changes} == {"equivalent"}
    ]
    timeless = measurements[measurements["unit"] != "seconds"]
    found: dict[tuple[str, str, str], str | None] = {}
    for workload in (w for w in study.workloads if w.kind == "convergence"):
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
    arm: str, baseline: str, outcomes: pd.DataFrame, samples: pd.DataFrame, curves: pd.DataFrame
) -> str | None:
    """The first block and metric in which two arms that both finished differ by a single bit."""
    mismatch = "not bit-identical to the baseline, as an equivalent factor must be: "
    status = outcomes.drop_duplicates(["block", "arm"], keep="last").set_index(["block", "arm"])["status"]
    both = status.unstack("arm")[[arm, baseline]].dropna()
    ended = both[both.isin(["ok", "diverged"]).all(axis=1)]
    for block in ended.index[ended[arm] != ended[baseline]]:
        return (
            f"{mismatch}in {block} it is {ended.loc[block, arm]}, the baseline {ended.loc[block, baseline]}"
        )
    keys = (["block", "metric", "split", "mode", "round"], ["block", "metric", "split", "step"])
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
            return f"{mismatch}{what}{metric} differs in {block}"
    return None

"""A cell: all samples of one metric in one context, where every arm can be set against every other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.records.metric import Metric
from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts.statistics import contrast_by_block

_READING_ORDER = ("", "train", "inference", "validation", "test", "simulated", "measured", "observed")
CELL_COLUMNS = ["environment", "workload", "metric", "mode", "split", "source", "device"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one arm in a workload.

    Attributes:
        blocks: Number of blocks on record.
        bad: Outcomes whose status is not `ok`: block, status, reason.
        censored: By block, the metrics that were censored and why.
    """

    blocks: int
    bad: pd.DataFrame
    censored: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, outcomes: pd.DataFrame) -> "Fate":
        """From the outcomes of one arm in one workload and environment."""
        ok = outcomes["status"] == "ok"
        found = zip(outcomes["block"], outcomes["censored"], ok, strict=True)
        censored = {str(block): reasons for block, reasons, fine in found if fine and reasons}
        return cls(outcomes["block"].nunique(), outcomes[~ok], censored)


@dataclass(frozen=True, slots=True)
class Cell:
    """Samples of one metric in one environment, workload, mode, split, source and device.

    Attributes:
        environment: Id of the environment.
        workload: The workload, with its context.
        metric: The metric; None where the workload measured nothing at all.
        mode: `train`, `inference` or None.
        split: `train`, `validation`, `test` or None.
        source: `simulated`, `measured`, `observed` or None.
        device: What the samples hold for.
        wide: Samples in the metric's unit, one column per arm, one row per (block, pair, round).
        fates: What became of each arm that is on record.
    """

    environment: str
    workload: Workload
    metric: Metric | None
    mode: str | None
    split: str | None
    source: str | None
    device: str | None
    wide: pd.DataFrame
    fates: Mapping[str, Fate]

    @property
    def family(self) -> str:
        """Name of the family its arms are corrected in."""
        parts = (self.workload.name, self.metric and self.metric.name, self.mode, self.split)
        return " ".join(part for part in (*parts, self.source, self.device, self.environment) if part)

    @property
    def exact(self) -> bool:
        """Whether one trial decides."""
        return self.metric is not None and self.metric.exact

    def contrast(self, coefficients: Mapping[str, float]) -> pd.Series:
        """Contrast by block on the scale of the analysis; one number from the last trials if exact."""
        if not self.exact:
            return contrast_by_block(self.scaled(self.wide), coefficients)
        last = {arm: self.values(arm) for arm in coefficients}
        if any(values.empty for values in last.values()):
            return pd.Series(dtype=float)
        numbers = pd.Series({arm: float(values.iloc[-1]) for arm, values in last.items()})
        if numbers.nunique() == 1:  # also where all are zero, and a logarithm is not finite
            return pd.Series([0.0], index=["exact"])
        total = float((self.scaled(numbers.to_frame())[0] * pd.Series(coefficients)).sum(skipna=False))
        return pd.Series([total], index=["exact"]) if np.isfinite(total) else pd.Series(dtype=float)

    def values(self, arm: str) -> pd.Series:
        """The arm's number by block in the metric's unit: the median over the rounds of a block."""
        if arm not in self.wide:
            return pd.Series(dtype=float)
        values = self.wide[arm].dropna()
        return values if self.exact else values.groupby(level="block").median()

    def average(self, values: pd.Series) -> float | None:
        """Geometric mean for a ratio metric, mean for a difference, in the metric's unit."""
        if values.empty:
            return None
        if values.nunique() == 1:  # an exact count stays what it is, to the last digit
            return float(values.iloc[0])
        return self.unscaled(float(self.scaled(values.to_frame()).mean().iloc[0]))

    def scaled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """To the scale of the analysis: the logarithm for a ratio metric, NaN where there is none."""
        if self.metric is None or self.metric.effect_kind == "difference":
            return frame
        numbers = frame.to_numpy(dtype=float)
        logs = np.log(numbers, out=np.full_like(numbers, np.nan), where=numbers > 0)
        return pd.DataFrame(logs, index=frame.index, columns=frame.columns)

    def unscaled(self, number: float | None) -> float | None:
        """From the scale of the analysis back to a ratio or a difference."""
        if number is None or self.metric is None:
            return None
        return float(np.exp(number)) if self.metric.effect_kind == "ratio" else number

    @property
    def margin(self) -> float:
        """The margin on the scale of the analysis."""
        if self.metric is None:
            return 0.0
        ratio = self.metric.effect_kind == "ratio"
        return float(np.log1p(self.metric.margin)) if ratio else self.metric.margin


def cells(study: ResolvedStudy, measurements: pd.DataFrame, outcomes: pd.DataFrame) -> Iterator[Cell]:
    """Every cell of a run, workloads and metrics in the study's order.

    A workload in which no arm was measured yields one cell without a metric, so that its arms still
    get a row with their reasons.
    """
    order = {metric.name: (i, metric) for i, metric in enumerate(study.metrics)}
    for environment in sorted(outcomes["environment"].unique()):
        for workload in study.workloads:
            here = _at(outcomes, environment, workload.name)
            if here.empty:
                continue
            fates = {str(arm): Fate.of(group) for arm, group in here.groupby("arm")}
            samples = _at(measurements, environment, workload.name)
            if samples.empty:
                yield Cell(environment, workload, None, None, None, None, None, pd.DataFrame(), fates)
            keys = CELL_COLUMNS[2:]
            groups = samples.assign(**{key: samples[key].fillna("") for key in keys}).groupby(
                keys, sort=False
            )
            named = {tuple(str(part) for part in key): group for key, group in groups}
            for key in sorted(named, key=lambda k: (order[k[0]][0], *(_rank(part) for part in k[1:]))):
                metric = order[key[0]][1]
                mode, split, source, device = (part or None for part in key[1:])
                wide = _wide(named[key], metric.exact)
                yield Cell(environment, workload, metric, mode, split, source, device, wide, fates)


def _rank(part: str) -> tuple[int, str]:
    """Training before inference, what is simulated before what is measured, the test set last."""
    return (_READING_ORDER.index(part) if part in _READING_ORDER else len(_READING_ORDER), part)


def _at(frame: pd.DataFrame, environment: str, workload: str) -> pd.DataFrame:
    return frame[(frame["environment"] == environment) & (frame["workload"] == workload)]


def _wide(samples: pd.DataFrame, exact: bool) -> pd.DataFrame:
    """One column per arm; of several trials of the same arm, pair and round, the last one started."""
    index = ["block", "trial" if exact else "pair", "round"]
    long = samples[[*index, "arm", "value"]].drop_duplicates([*index, "arm"], keep="last")
    return long.set_index([*index, "arm"])["value"].astype(float).unstack("arm")

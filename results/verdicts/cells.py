"""A cell: all samples of one metric in one context, where every arm can be set against every other."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from results.records.metric import Metric
from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts.occasions import OCCASION, are_units, clustered
from results.verdicts.statistics import ROUNDING, Floats, contrast_by_block

if TYPE_CHECKING:
    from results.verdicts.events import Events

_READING_ORDER = ("", "train", "inference", "validation", "test", "simulated", "measured", "observed")
_NO_VALUES = pd.Series(dtype=float)
CELL_COLUMNS = ["environment", "workload", "metric", "mode", "split", "source", "device"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one arm in a workload.

    Attributes:
        blocks: Number of blocks on record.
        lost: Blocks whose status is not `ok`.
        censored: By block, the metrics that were censored and why.
        invalid: By block, the metrics that cannot be believed and why.
    """

    blocks: int
    lost: frozenset[str]
    censored: Mapping[str, Mapping[str, str]]
    invalid: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, outcomes: pd.DataFrame) -> "Fate":
        """From the outcomes of one arm in one workload and environment."""
        ok = (outcomes["status"] == "ok").tolist()
        blocks = outcomes["block"].tolist()
        found = {
            name: {
                block: reasons
                for block, reasons, fine in zip(blocks, outcomes[name], ok, strict=True)
                if fine and reasons
            }
            for name in ("censored", "invalid")
        }
        lost = frozenset(block for block, fine in zip(blocks, ok, strict=True) if not fine)
        return cls(len(set(blocks)), lost, found["censored"], found["invalid"])


@dataclass(frozen=True)
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
        occasions: On which occasion each block of the workload ran.
        events: Of a time to a target, when each arm's trainings reached it; empty elsewhere.
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
    occasions: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[str, "Events"] = field(default_factory=dict)

    @property
    def block_unit(self) -> str:
        """What n counts: the workload's blocks, or the occasions where there are enough of them."""
        return OCCASION if self._is_by_occasion else self.workload.block_unit

    @cached_property
    def _is_by_occasion(self) -> bool:
        return not self.exact and are_units(self.occasions)

    @property
    def family(self) -> str:
        """Name of the family its arms are corrected in."""
        parts = (self.workload.name, self.metric and self.metric.name, self.mode, self.split)
        return " ".join(part for part in (*parts, self.source, self.device, self.environment) if part)

    @property
    def place(self) -> tuple[str, ...]:
        """What identifies it: the values of `CELL_COLUMNS`, "" for none."""
        name = self.metric.name if self.metric else ""
        parts = (self.mode, self.split, self.source, self.device)
        return (self.environment, self.workload.name, name, *(part or "" for part in parts))

    @property
    def exact(self) -> bool:
        """Whether one trial decides."""
        return self.metric is not None and self.metric.exact

    def contrast(self, coefficients: Mapping[str, float]) -> pd.Series:
        """Contrast by what n counts, on the scale of the analysis; one number of the last trials if exact."""
        if not self.exact:
            return clustered(self.block_contrast(coefficients), self.occasions)
        total = self._exact_contrast(coefficients)
        return pd.Series(dtype=float) if total is None else pd.Series([total], index=["exact"])

    def block_contrast(self, coefficients: Mapping[str, float]) -> pd.Series:
        """Contrast by block, whatever n counts, on the scale of the analysis."""
        return contrast_by_block(self._scaled_wide, coefficients)

    @cached_property
    def _scaled_wide(self) -> pd.DataFrame:
        return self.scaled(self.wide)

    def _exact_contrast(self, coefficients: Mapping[str, float]) -> float | None:
        last = [self.values(arm).to_numpy(dtype=float)[-1:] for arm in coefficients]
        numbers = np.concatenate(last)
        if len(numbers) < len(coefficients):
            return None
        if np.ptp(numbers) == 0:  # also where all are zero, and a logarithm is not finite
            return 0.0
        ratio = self.metric is not None and self.metric.effect_kind == "ratio"
        if ratio and numbers.min() <= 0:
            return None
        scaled = np.log(numbers) if ratio else numbers
        total = float(scaled @ np.fromiter(coefficients.values(), dtype=float))
        # What cancels in a sum of many logarithms leaves a few units in the last place.
        return 0.0 if abs(total) < ROUNDING * np.abs(scaled).max() else total

    @cached_property
    def _by_block(self) -> dict[str, pd.Series]:
        rounds = not (self.exact or self.wide.empty)
        table = self.wide.groupby(level="block").median() if rounds else self.wide
        return {str(arm): table[arm].dropna() for arm in table}

    def values(self, arm: str) -> pd.Series:
        """The arm's number by what n counts, in the metric's unit; an occasion's is its blocks' average."""
        numbers = self.block_values(arm)
        if numbers.empty or not self._is_by_occasion:
            return numbers
        scaled = pd.Series(self.on_scale(numbers.to_numpy(dtype=float)), numbers.index)
        means = clustered(scaled, self.occasions)
        ratio = self.metric is not None and self.metric.effect_kind == "ratio"
        return np.exp(means) if ratio else means

    def block_values(self, arm: str) -> pd.Series:
        """The arm's number by block, in the metric's unit: the median over the rounds of a block."""
        return self._by_block.get(arm, _NO_VALUES)

    def reasons(self, arm: str, what: str) -> dict[str, str]:
        """By block, why the metric was `censored` or `invalid` for the arm, where it has no number."""
        told: Mapping[str, Mapping[str, str]] = getattr(self.fates[arm], what) if arm in self.fates else {}
        if self.metric is None or not told:
            return {}
        known = self._by_block.get(arm)
        blocks = set() if known is None else set(known.index.get_level_values("block"))
        name = self.metric.name
        return {b: reasons[name] for b, reasons in told.items() if name in reasons and b not in blocks}

    def average(self, values: pd.Series) -> float | None:
        """Geometric mean for a ratio metric, mean for a difference, in the metric's unit."""
        if values.empty:
            return None
        numbers = values.to_numpy(dtype=float)
        if np.ptp(numbers) == 0:  # an exact count stays what it is, to the last digit
            return float(numbers[0])
        return self.unscaled(self.mean(values))

    def mean(self, values: pd.Series) -> float:
        """Mean on the scale of the analysis of what has a place on it; NaN of nothing."""
        scaled = self.on_scale(values.to_numpy(dtype=float))
        known = scaled[~np.isnan(scaled)]
        return float(known.mean()) if len(known) else math.nan

    def on_scale(self, numbers: Floats) -> Floats:
        """To the scale of the analysis: the logarithm for a ratio metric, NaN where there is none."""
        if self.metric is None or self.metric.effect_kind == "difference":
            return numbers
        return np.log(numbers, out=np.full_like(numbers, np.nan), where=numbers > 0)

    def scaled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame to the scale of the analysis, as `on_scale`."""
        scaled = self.on_scale(frame.to_numpy(dtype=float))
        return pd.DataFrame(scaled, index=frame.index, columns=frame.columns)

    def unscaled(self, number: float | None) -> float | None:
        """From the scale of the analysis back to a ratio or a difference."""
        if number is None or self.metric is None:
            return None
        if self.metric.effect_kind == "difference":
            return number
        with np.errstate(over="ignore"):  # an interval of few blocks may know no end
            return float(np.exp(number))

    @property
    def margin(self) -> float:
        """The margin on the scale of the analysis."""
        if self.metric is None:
            return 0.0
        ratio = self.metric.effect_kind == "ratio"
        return float(np.log1p(self.metric.margin)) if ratio else self.metric.margin


def cells(study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame) -> Iterator[Cell]:
    """Every cell of a run, workloads and metrics in the study's order.

    A workload in which no arm was measured yields one cell without a metric, so that its arms still
    get a row with their reasons.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
    """
    metrics = {metric.name: metric for metric in study.metrics}
    order = {name: i for i, name in enumerate(metrics)}
    samples = dict(iter(series.groupby(["environment", "workload"], sort=False)))
    found = dict(iter(outcomes.groupby(["environment", "workload"], sort=False)))
    for environment in sorted(outcomes["environment"].unique()):
        for workload in study.workloads:
            here = found.get((environment, workload.name))
            if here is None:
                continue
            fates = {str(arm): Fate.of(group) for arm, group in here.groupby("arm")}
            mine = samples.get((environment, workload.name))
            if mine is None:
                yield Cell(environment, workload, None, None, None, None, None, pd.DataFrame(), fates)
                continue
            named = _by_place(mine)
            occasions = dict(zip(mine["block"], mine["occasion"], strict=True))
            for key in sorted(named, key=lambda k: (order[k[0]], *(_rank(part) for part in k[1:]))):
                metric = metrics[key[0]]
                mode, split, source, device = (part or None for part in key[1:])
                wide = _wide(named[key], "trial" if metric.exact else "pair")
                yield Cell(environment, workload, metric, mode, split, source, device, wide, fates, occasions)


def places(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """For each row of a table which cell it is of; see `Cell.place`."""
    known = rows[CELL_COLUMNS].astype(object)
    return list(known.where(known.notna(), "").itertuples(index=False, name=None))


def _by_place(series: pd.DataFrame) -> dict[tuple[str, ...], pd.DataFrame]:
    keys = CELL_COLUMNS[2:]
    known = series.assign(**{key: series[key].fillna("") for key in keys})
    return {tuple(str(part) for part in key): group for key, group in known.groupby(keys, sort=False)}


def _rank(part: str) -> tuple[int, str]:
    """Training before inference, what is simulated before what is measured, the test set last."""
    return (_READING_ORDER.index(part) if part in _READING_ORDER else len(_READING_ORDER), part)


def _wide(series: pd.DataFrame, pair: str) -> pd.DataFrame:
    """One column per arm, one row per (block, pair, round); of several trials of an arm the last started."""
    places: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for block, place, arm, values in zip(
        series["block"], series[pair], series["arm"], series["values"], strict=True
    ):
        places.setdefault((block, place), {})[arm] = values
    arms = {arm: i for i, arm in enumerate(sorted(set(series["arm"])))}
    lengths = [max(map(len, values.values())) for values in places.values()]
    matrix = np.full((sum(lengths), len(arms)), np.nan)
    start = 0
    for length, found in zip(lengths, places.values(), strict=True):
        for arm, values in found.items():
            matrix[start : start + len(values), arms[arm]] = values
        start += length
    index = pd.MultiIndex.from_arrays(
        [
            np.repeat([block for block, _ in places], lengths),
            np.repeat([place for _, place in places], lengths),
            np.concatenate([np.arange(length) for length in lengths]),
        ],
        names=["block", "pair", "round"],
    )
    return pd.DataFrame(matrix, index=index, columns=list(arms))

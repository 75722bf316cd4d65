"""Effects and interactions: which contrasts a study asks for, and the frames they come out as."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from results.records.resolved_study import ResolvedStudy
from results.verdicts.cells import Cell, cells
from results.verdicts.checks import Checks
from results.verdicts.comparison import Comparison
from results.verdicts.controls import Controls
from results.verdicts.corners import corners
from results.verdicts.designs import DesignContrast, design_contrasts, without
from results.verdicts.divergence import divergence_rows, failure_rows
from results.verdicts.events import with_events
from results.verdicts.judge import judge
from results.verdicts.rows import frame


@dataclass(frozen=True, slots=True)
class Contrasts:
    """What a study asks, judged.

    Attributes:
        effects: One row per arm and cell, the control's first; columns as `rows.COLUMNS`.
        main_effects: One row per level and cell of a design that averages over arms: what a change does
            whatever else there is; and what it does in company, where the design asks.
        interactions: One row per pair of changes and cell: what two do together beyond what each does alone.
        corners: What `corners` finds of each interaction of two factors.
    """

    effects: pd.DataFrame
    main_effects: pd.DataFrame
    interactions: pd.DataFrame
    corners: pd.DataFrame


def contrasts(
    study: ResolvedStudy, series: pd.DataFrame, outcomes: pd.DataFrame, curves: pd.DataFrame
) -> Contrasts:
    """Judge every arm against the baseline, and every contrast of the design.

    The family of an arm is all arms of its cell; main effects are a family of their own, and so are
    interactions. The A/A rows of everything that varies are one family per environment, those of isolated
    spot checks another, those of divergence a third. What a duplicate says of its cell holds for every row
    of it, interactions included; see `Controls`.

    Args:
        study: The study.
        series: As `results.frames.samples.series` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
        curves: As `results.frames.samples.curves` gives it.
    """
    asked = (cell for cell in cells(study, series, outcomes) if not cell.workload.belongs_to("rate_search"))
    found = with_events(asked, curves)
    checks = Checks.of(study, series, outcomes, curves)
    single = [comparison for cell in found for comparison in _effects(study, cell, checks)]
    designed = list(_designed(study, found, checks))
    proportions = [*divergence_rows(study, outcomes), *failure_rows(study, found, outcomes)]
    effects = frame(judge(single, checks, study.looks) + proportions)
    controls = Controls.of(effects)
    apart = [
        [one for kind, one in designed if (kind == "interaction") == together] for together in (False, True)
    ]
    main, pairs = (controls.applied(frame(judge(some, checks, study.looks))) for some in apart)
    return Contrasts(controls.applied(effects), main, pairs, corners(study, apart[1]))


def _effects(study: ResolvedStudy, cell: Cell, checks: Checks) -> list[Comparison]:
    baseline = study.baseline
    return [
        Comparison(
            cell,
            arm.name,
            baseline,
            {arm.name: 1.0, baseline: -1.0},
            cell.family if arm.role == "arm" else _control_family(cell),
            study.labels(arm),
            paired=cell.workload.paired or checks.is_placebo(cell, arm.name),
            placebo=checks.is_placebo(cell, arm.name),
            inert=checks.is_inert(cell, arm.name),
        )
        for arm in sorted(study.arms, key=lambda arm: arm.role != "control")
        if arm.role != "baseline" and arm.name in cell.workload.variants
    ]


def _designed(study: ResolvedStudy, found: list[Cell], checks: Checks) -> Iterator[tuple[str, Comparison]]:
    """The contrasts of the design in each cell, each with its kind; what arms are lost, sets do without."""
    known: dict[frozenset[str], list[DesignContrast]] = {}
    for cell in found:
        if cell.metric is None:
            continue
        here = frozenset(arm for arm in cell.workload.variants if len(cell.block_values(arm)))
        if here not in known:
            known[here] = design_contrasts(study, here)
        for contrast in known[here]:
            if set(contrast.weights) <= set(cell.workload.variants):
                yield contrast.kind, _compared(study, cell, contrast, checks)


def _compared(study: ResolvedStudy, cell: Cell, contrast: DesignContrast, checks: Checks) -> Comparison:
    kinds = {factor.name: factor.kind for factor in study.factors}
    # Arms that differ in an equivalent factor alone train to the same bits, whatever else they have.
    same = any(kinds[name] == "equivalent" for name in contrast.factors)
    timeless = cell.metric is not None and cell.metric.unit != "seconds"
    placebo = same and timeless and contrast.sets > 0 and cell.workload.block_unit == "seed"
    inert = contrast.sets > 0 and any(
        checks.are_alike(cell, without(study, contrast, name)) for name in contrast.factors
    )
    return Comparison(
        cell,
        contrast.name,
        study.baseline,
        contrast.weights,
        f"{'interactions' if contrast.kind == 'interaction' else 'main effects'} {cell.family}",
        {
            "factor": "+".join(contrast.factors),
            "level": "+".join(contrast.levels),
            "baseline_level": "+".join(study.first_level(name) for name in contrast.factors),
        },
        paired=cell.workload.paired or placebo,
        treated=contrast.treated,
        placebo=placebo,
        inert=inert,
        aliases=contrast.aliases,
        sets=(contrast.sets, contrast.of),
    )


def _control_family(cell: Cell) -> str:
    """A spot check compares other processes at other times: its A/A rows say nothing about the others."""
    checks = cell.workload.belongs_to("spot_check") is not None
    kind = "exact " if cell.exact else "spot check " if checks else ""
    return f"A/A {kind}{cell.environment}"

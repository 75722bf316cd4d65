"""Training: the curves, the seeds one by one, and what happened to those that did not learn."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from results import plots
from results.records.resolved_study import CONTROL_FACTOR
from results.report.control_words import duplicates_that_differ
from results.report.drawing import arms_to_draw
from results.report.notes import seeds
from results.report.section import Bullets, Figure, Part, Section, Sentence, Topic
from results.tables.analysis import Analysis
from results.tables.contexts import described
from results.tables.headline import title


def build(run: Analysis, environment: str) -> Section:
    """Training in one environment; empty where nothing was trained."""
    curves = run.curves[run.curves["environment"] == environment]
    effects = run.effects[run.effects["environment"] == environment]
    duplicates = duplicates_that_differ(effects[effects["kind"] == "convergence"])
    said = [*_sentences(run, effects), *duplicates]
    told: list[Part] = [Bullets(said, brief=4)] if said else []
    return Section([*told, *_figures(run, environment, curves)])


def _sentences(run: Analysis, effects: pd.DataFrame) -> Iterator[Sentence]:
    """Arms whose average would mislead, each with its context."""
    told = effects[effects["headline"] & (effects["factor"] != CONTROL_FACTOR)]
    for _, row in told.iterrows():
        clauses = list(seeds(row.to_dict()))
        if clauses:
            workload = next(w for w in run.study.workloads if w.name == row["workload"])
            where = described(run.study, workload)
            yield Sentence(f"{title(row)}: {'; '.join(clauses)} [{where}].", f"{row['arm']}:", "warning")


def _figures(run: Analysis, environment: str, curves: pd.DataFrame) -> Iterator[Figure]:
    effects = run.effects[run.effects["environment"] == environment]
    kept = [arm.name for arm in run.study.arms if arm.role != "arm"] + arms_to_draw(effects)
    curves = _of(kept, curves)
    better = {metric.name: metric.better for metric in run.study.metrics}
    noise = run.noise_floor[run.noise_floor["environment"] == environment]
    points = run.series[(run.series["environment"] == environment) & (run.series["split"] == "test")]
    points = _of(kept, points)
    if len(points):
        alt = "Dot plot: test accuracy of every seed by arm, a line at the mean."
        yield Figure("seeds", "Every seed, arm by arm", alt, partial(plots.seeds, points))
    if len(curves):
        alt = "Line chart: convergence curves by arm, mean over seeds with 95 % intervals."
        draw = partial(plots.convergence_curves, curves, better, noise)
        yield Figure("convergence", "Convergence", alt, draw)


def _of(arms: list[str], frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of these arms, in their order."""
    places = {arm: place for place, arm in enumerate(arms)}
    kept = frame[frame["arm"].isin(arms)]
    return kept.sort_values("arm", key=lambda column: column.map(places), kind="stable")


TOPIC = Topic("convergence", "Convergence", 50, build, summary="curves, seeds, arms that did not learn")

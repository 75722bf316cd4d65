"""Training: the curves, the seeds one by one, and what happened to those that did not learn."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from results import plots
from results.frames import samples
from results.records.resolved_study import CONTROL_FACTOR
from results.report.control_words import duplicates_that_differ
from results.report.drawing import arms_to_draw
from results.report.findings import findings
from results.report.notes import seeds
from results.report.section import Bullets, Figure, Part, Section, Sentence, Topic
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.contexts import described
from results.tables.headline import title
from results.verdicts import events, heaps, tuning
from results.verdicts.divergence import FAILED, informative

_LAST = 0.75
"""Of a training's steps: what is gained after them was not learnt before."""


def build(run: Analysis, environment: str) -> Section:
    """Training in one environment; empty where nothing was trained."""
    curves = run.curves[run.curves["environment"] == environment]
    effects = run.effects[run.effects["environment"] == environment]
    trained = effects[effects["kind"] == "convergence"]
    found = findings(run, trained)
    of_scores = trained[trained["metric"] != events.STEPS]  # steps have a section of their own
    warned = [*_failures(run, effects), *_early(run, curves), *duplicates_that_differ(of_scores)]
    beside = [*_sentences(run, effects), *_rates(run, curves)]
    told: list[Part] = [
        *([Bullets(found)] if found else []),
        *([Bullets(warned, brief=4)] if warned else []),
    ]
    evidence: list[Part] = [Bullets(beside, brief=4)] if beside else []
    return Section([*told, *_figures(run, environment, curves)], evidence=evidence)


def _sentences(run: Analysis, effects: pd.DataFrame) -> Iterator[Sentence]:
    """Arms whose average would mislead, each with its context."""
    told = effects[effects["headline"] & (effects["factor"] != CONTROL_FACTOR)]
    for _, row in told.iterrows():
        clauses = list(seeds(row.to_dict()))
        if clauses:
            workload = next(w for w in run.study.workloads if w.name == row["workload"])
            where = described(run.study, workload)
            yield Sentence(f"{title(row)}: {'; '.join(clauses)} [{where}].", f"{row['arm']}:", "warning")


def _failures(run: Analysis, effects: pd.DataFrame) -> Iterator[Sentence]:
    """What it means that seeds failed, once a workload in which any did."""
    failed = effects[(effects["metric"] == FAILED.name) & informative(effects)]
    for name, rows in failed.groupby("workload", sort=False):
        workload = next(w for w in run.study.workloads if w.name == name)
        told = rows[rows["factor"] != CONTROL_FACTOR].to_dict("records")
        if told and workload.stands_in_headlines:
            usual = f"the baseline in {_of_seeds(told[0]['baseline_value'], told[0]['baseline_n'])}"
            others = [f"{row['arm']} in {_of_seeds(row['value'], row['n'])}" for row in told if row["value"]]
            yield Sentence(
                "they diverged, were right no more often than guessing is, or are in the lower of two heaps: "
                f"{', '.join([usual, *others])} [{described(run.study, workload)}].",
                "Seeds that failed to learn:",
                "warning",
            )


def _of_seeds(share: float, count: int) -> str:
    return f"{round(share * count)} of {int(count)}"


def _rates(run: Analysis, curves: pd.DataFrame) -> Iterator[Sentence]:
    """At which learning rate each arm trains where every arm has its own."""
    for workload in run.study.workloads:
        tried = tuning.searches(run.study, workload)
        if not tried or workload.name not in set(curves["workload"]):
            continue
        rates = sorted(float(one.settings["learning_rate"]) for one in tried)
        found = tuning.chosen(run.study, workload, curves)
        usual = found[run.study.baseline]
        others = [f"{arm} {rate:g}" for arm, rate in found.items() if rate != usual]
        told = ", ".join([f"baseline {usual:g}", *others]) + ("; all others as the baseline" * bool(others))
        yield Sentence(
            f"of {', '.join(f'{rate:g}' for rate in rates)}, tried on "
            f"{text.count(tried[0].replicates, 'seed')} each, validation images found best: {told} "
            f"[{described(run.study, workload)}].",
            "Own learning rates:",
        )


def _early(run: Analysis, curves: pd.DataFrame) -> Iterator[Sentence]:
    """Where the baseline was still learning: what a verdict there is about."""
    metrics = {metric.name: metric for metric in run.study.metrics}
    for workload in run.study.workloads:
        mine = curves[
            (curves["workload"] == workload.name)
            & (curves["arm"] == run.study.baseline)
            & curves["metric"].isin(events.SCORES)
        ]
        means = mine.groupby("step")["value"].mean()
        before = means[means.index <= _LAST * means.index.max()] if len(means) else means
        if not workload.stands_in_headlines or len(before) == 0:
            continue
        gained = float(means.iloc[-1] - before.iloc[-1])
        share = 1 - before.index[-1] / means.index.max()
        score = metrics[str(mine["metric"].iloc[0])]
        if gained > score.margin:
            yield Sentence(
                f"the baseline still gained {100 * gained:.1f} points of {score.label} in the last "
                f"{100 * share:.0f} % of its training, so that verdicts are about how fast is learnt, not "
                f"about what can be [{described(run.study, workload)}].",
                "Early training:",
                "warning",
            )


def _figures(run: Analysis, environment: str, curves: pd.DataFrame) -> Iterator[Figure]:
    effects = run.effects[run.effects["environment"] == environment]
    kept = [arm.name for arm in run.study.arms if arm.role != "arm"] + arms_to_draw(effects)
    shown = [workload.name for workload in run.study.workloads if workload.stands_in_headlines]
    curves = _of(kept, curves[curves["workload"].isin(shown)])
    better = {metric.name: metric.better for metric in run.study.metrics}
    noise = run.noise_floor[run.noise_floor["environment"] == environment]
    points = run.series[(run.series["environment"] == environment) & run.series["metric"].isin(heaps.SCORES)]
    points = _of(kept, points[points["workload"].isin(shown)])
    if len(curves):
        alt = "Line chart: convergence curves by change, mean over seeds with 95 % intervals."
        draw = partial(plots.convergence_curves, curves, better, noise)
        title = "How fast does each change learn? The mean over seeds, with its 95 % interval"
        yield Figure("convergence", title, alt, draw)
    if len(points):
        alt = "Dot plot: the test score of every seed by change, a line at the mean."
        title = "Do the seeds agree? The score of every seed, a line at the mean"
        yield Figure("seeds", title, alt, partial(plots.seeds, samples.measurements(points)))


def _of(arms: list[str], frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of these arms, in their order."""
    places = {arm: place for place, arm in enumerate(arms)}
    kept = frame[frame["arm"].isin(arms)]
    return kept.sort_values("arm", key=lambda column: column.map(places), kind="stable")


TOPIC = Topic("convergence", "Convergence", 50, build, summary="curves, seeds, what did not learn")

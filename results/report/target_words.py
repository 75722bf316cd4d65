"""A training's target in words."""

from results.records.resolved_study import Workload
from results.tables.analysis import Analysis
from results.verdicts.events import SCORES


def target(run: Analysis, workload: Workload) -> str:
    """`90 % validation accuracy`; `the target` where none is declared."""
    told = workload.settings.get("target")
    if told is None:
        return "the target"
    trained = set(run.curves.loc[run.curves["workload"] == workload.name, "metric"]) & SCORES
    labels = [metric.label for metric in run.study.metrics if metric.name in trained]
    return f"{100 * float(told):g} % {labels[0] if labels else 'of the score'}"

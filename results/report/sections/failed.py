"""What did not end well: faults, failed trials, inert arms, what is missing, files that were left out."""

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.report.budget_words import budget_alerts
from results.report.notes import reason
from results.report.section import Alert, Bullets, Entry, Group, Part, Section, Sentence, Table, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.headline import title
from results.verdicts.losses import natural

_INERT = (
    "These change no shape, operator or output at the input of the workload; they are listed here and "
    "ranked nowhere."
)
_LEFT_OUT = (
    "These files of the run directory could not be believed and were left out; everything else stands."
)


def build(run: Analysis, _: str) -> Section:
    """The whole run's faults and failures."""
    data = {"trials": run.trials}
    found = faults(run)
    parts: list[Part] = []
    if run.left_out:
        lines = (f"{left.path.parent.name}/{left.path.name}: {left.reason}" for left in run.left_out)
        listed = Bullets([Sentence(line, tone="warning") for line in dict.fromkeys(lines)], brief=5)
        parts.append(Group("Files that were left out", [words(_LEFT_OUT), listed]))
    failures = _failures(run)
    if failures.rows:
        parts.append(Group("Trials that did not end well", [failures, Bullets(causes(run.trials), brief=8)]))
    inert = _inert(run)
    if inert:
        parts.append(Group("Changes that change nothing here", [words(_INERT), Bullets(inert)]))
    if len(run.missing):
        parts.append(Group("Missing", [_missing(run)]))
    if not parts and run.study.workloads:
        parts = [words("Every trial ended well, and nothing is missing.")]
    return Section(alerts=_alerts(run, found), data=data, evidence=parts)


def _alerts(run: Analysis, found: list[str]) -> list[Alert]:
    alerts = []
    if found:
        said = "Rows marked ✗ are not to be cited."
        alerts.append(Alert("✗ This report is invalid, or a part of it is.", said, found, grave=True))
    if run.left_out:
        said = f"{text.count(len(run.left_out), 'file')} could not be believed and left out."
        alerts.append(Alert("Not all of it was read.", said, link="failed"))
    alerts += budget_alerts(run)
    if len(run.missing) and not run.stops:
        combinations = text.count(len(run.missing), "combination")
        have = "has" if len(run.missing) == 1 else "have"
        said = (
            f"{combinations} of environment, workload and change {have} fewer seeds or processes on "
            "record than planned. What follows holds for what was run; the same command goes on where it "
            "stopped."
        )
        alerts.append(Alert("The plan is not complete.", said, link="failed"))
    return alerts


def faults(run: Analysis) -> list[str]:
    """Why the report, or a part of it, is invalid; empty if it stands."""
    bad = run.effects[run.effects["verdict"] == "invalid"]
    said = []
    for _, row in bad[bad["factor"] == CONTROL_FACTOR].iterrows():
        kind, unit = row["effect_kind"], row["unit"]
        ends = "" if row["exact"] else text.reach(row["ci_low"], row["ci_high"], kind, unit)
        read = ", ".join(filter(None, (text.change(row["effect"], kind, unit), ends)))
        where = f"{title(row)} [{row['workload']}]"
        said.append(f"A/A control: {where} differs between the baseline and its duplicate ({read})")
    for _, row in bad[(bad["factor"] != CONTROL_FACTOR) & (bad["fault"] != "control")].iterrows():
        said.append(f"{row['arm']} [{row['workload']}]: {reason(row.to_dict())}")
    return list(dict.fromkeys(said))


def _failures(run: Analysis) -> Table:
    """Gathered by workload, arm, status and reason."""
    bad = run.outcomes[run.outcomes["status"] != "ok"].fillna({"reason": "no reason recorded"})
    rows = []
    for (arm, workload, status, why), group in bad.groupby(["arm", "workload", "status", "reason"]):
        blocks = ", ".join(sorted(group["block"].unique(), key=natural))
        logs = ", ".join(dict.fromkeys(log for log in group["log"] if log))
        rows.append([Entry(str(cell)) for cell in (arm, workload, status, why, blocks, logs or "—")])
    columns = ["change", "workload", "status", "reason", "seeds or processes", "what it printed"]
    return Table(columns, rows, "Failed trials")


def causes(trials: pd.DataFrame) -> list[Sentence]:
    """Status, arm, workload and reason of what is not `ok`, each once, with how often and what it printed.

    Args:
        trials: As `Analysis.trials` gives it.
    """
    keys = ["status", "arm", "workload", "reason"]
    bad = trials[trials["status"] != "ok"].fillna({"reason": "no reason recorded"})
    return [
        Sentence(f"{arm} in {workload}{_times(same)}: {why}{_log(same)}", lead=f"{status}:", tone="warning")
        for (status, arm, workload, why), same in bad.groupby(keys)
    ]


def _times(same: pd.DataFrame) -> str:
    return f" ({text.count(len(same), 'trial')})" if len(same) > 1 else ""


def _log(same: pd.DataFrame) -> str:
    """Where what the first of them printed can be read."""
    logs = [log for log in same["log"] if log]
    return f"; what it printed: {logs[0]}" if logs else ""


def _inert(run: Analysis) -> list[Sentence]:
    rows = run.effects[run.effects["inert"]]
    found = rows.groupby("arm", sort=False)["workload"].agg(lambda names: ", ".join(dict.fromkeys(names)))
    return [Sentence(f"in {workloads}", lead=str(arm)) for arm, workloads in found.items()]


def _missing(run: Analysis) -> Table:
    names = [*(["environment"] if len(run.names) > 1 else []), "workload", "recorded", "planned"]
    rows = [
        [Entry(str(row["arm"])), *(Entry(str(row[name])) for name in names)]
        for row in run.missing.to_dict("records")
    ]
    heads = {"recorded": "seeds or processes on record", "planned": "planned"}
    return Table(
        ["change", *(heads.get(name, name) for name in names)], rows, "Missing trials", open=len(rows) < 20
    )


TOPIC = Topic(
    "failed",
    "What did not end well",
    85,
    build,
    per_environment=False,
    summary="faults, failures, what is missing",
)

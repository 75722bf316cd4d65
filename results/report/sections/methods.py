"""How each number was obtained, and how to read it."""

from results.records.resolved_study import ResolvedStudy, Workload
from results.report.section import Alert, Bullets, Entry, Group, Part, Section, Sentence, Table, Topic
from results.tables import format as text
from results.tables.analysis import Analysis
from results.verdicts.statistics import ALPHA

_RULES = {
    "Paired, or not.": "What is timed is compared within a process. Trainings are samples of their own, with "
    "more seeds of the baseline, on which all lean, unless the study pairs them by seed. n counts processes "
    "or seeds, never rounds or steps.",
    "Interleaved.": "Where time is measured, all arms take turns in one process, and the median over "
    "rounds of the paired log-ratio is that process's one number.",
    "Simultaneous.": "Intervals are Student's t (on the logarithm for ratios; of shares by their logits, "
    "so that none is beyond 0 or 100 %), widened so that they hold for all arms of a metric at once: by "
    "Dunnett's method where arms share what is known of their spread, else by Bonferroni's. The adjusted "
    "p-values belong to the same family and never disagree with them.",
    "Against margins declared beforehand.": "Wholly within the margin: equivalent. Else leaving out no "
    "effect: better or worse, by at least the margin where the whole interval lies beyond it, and else "
    "perhaps by less than counts. Else: not decided. Fewer than six seeds or processes decide nothing, "
    "unless the number is exact.",
    "Held against a duplicate.": "The baseline runs beside a duplicate of itself. Where the duplicate's own "
    "interval leaves out no difference, that is said beside the metric; where it does so by more than all "
    "A/A rows together explain by chance, nothing there can be believed. The noise floor is told per metric, "
    "workload and mode.",
    "Looked at as often as declared.": "Intervals hold for one look at the end, unless the study declares "
    "more (looks = 2): then each has an equal share of the 5 %, and seeds or processes may be "
    "added in between.",
    "Nothing averaged in that did not finish.": "Runs that diverged are counted, not averaged, and compared "
    "by Fisher's exact test; a missed target is censored, not invented.",
}
_GLOSSARY = {
    "Change:": "what is set against the baseline: another level of one factor, or of several. Where baseline "
    "and changes are meant alike, each is an arm.",
    "Exact:": "the same number in every process, so that one is enough and any difference is real.",
    "Inert:": "a change that changes no shape, operator or output at the input of a workload.",
    "Effect:": "change against baseline: a ratio for memory and time (×1.31 is 31 % more), a difference for "
    "accuracy (+3.0 points is 85.0 % to 88.0 %).",
    "95 % interval:": "were the whole run repeated many times, 95 % of such sets of intervals would hold "
    "every true effect of their metric. Exact numbers need none.",
    "Margin:": "the smallest effect that counts, declared before the run. Equivalent means: shown to be "
    "smaller.",
    "Better or worse, perhaps by less than counts:": "an effect was found, and the interval holds sizes that "
    "are smaller than the margin, too.",
    "Not decided:": "neither shown to be there nor shown to be too small. N needed is how many seeds or "
    "processes, in all, make the interval narrow enough to decide, from the spread alone and as a range, "
    "since the spread is known only so well. It is for planning a run beforehand: who adds seeds until "
    "something comes out finds effects that are not there.",
    "Would find:": "the smallest true effect that a row, at its n and spread, would call different from none "
    "in 80 of 100 repeats. A smaller one it would often miss.",
    "Simulated, measured, observed:": "computed for the defaults of a device, read from an allocator or "
    "clock, or counted while the network ran.",
    "Context:": "a verdict holds for its workload: an effect at 32 px on a small network is not one at "
    "224 px on a large one.",
}


def build(run: Analysis, _: str) -> Section:
    """Workloads, metrics, environments, rules, glossary."""
    parts: list[Part] = []
    if run.study.workloads:
        parts = [Bullets([Sentence(said, lead) for lead, said in _RULES.items()]), _workloads(run)]
    parts += [_metrics(run), *([_environments(run)] if run.environments else [])]
    if run.study.workloads:
        glossary = Bullets([Sentence(said, lead) for lead, said in _GLOSSARY.items()])
        parts.append(Group("How to read this", [glossary]))
    alerts = []
    if run.study.exploratory:
        said = f"Changed after the first trial: {', '.join(run.study.exploratory)}."
        alerts.append(Alert("Exploratory.", said))
    if run.study.looks_taken > run.study.looks:
        alerts.append(Alert("Extended beyond its declaration.", _looks(run.study)))
    elif run.study.extended:
        parts.insert(0, Bullets([Sentence(_looks(run.study), "Looks:")]))
    return Section(alerts=alerts, evidence=parts)


def _looks(study: ResolvedStudy) -> str:
    added = "; ".join(study.extended)
    said = (
        f"seeds or processes were added after verdicts could be seen ({added}): "
        f"{text.count(study.looks_taken, 'look')} of {study.looks} declared"
    )
    if study.looks_taken <= study.looks:
        return f"{said}, each at {100 * ALPHA / study.looks:.3g} %."
    return (
        f"{said[0].upper()}{said[1:]}. Intervals here hold for {text.count(study.looks, 'look')}: whoever "
        "adds seeds until something comes out finds differences that are none more often than 1 time in 20. "
        f"Declare looks = {study.looks_taken} before a run that is to be extended like this."
    )


def _workloads(run: Analysis) -> Table:
    done = run.outcomes.groupby("workload")["block"].nunique()
    occasions = run.outcomes.groupby("workload")["occasion"].nunique()
    rows = []
    for w in run.study.workloads:
        settings = ", ".join(f"{name} {value}" for name, value in sorted(w.settings.items()))
        batch = "—" if w.batch_size is None else str(w.batch_size)
        blocks = f"{int(done.get(w.name, 0))} of {_planned(w)}"
        if (many := occasions.get(w.name, 1)) > 1:
            blocks = f"{done[w.name]}, on each of {many} occasions of {_planned(w)}"
        values = [w.kind, w.context, f"{w.input_size} px", batch, w.precision, w.dataset or "—", blocks]
        rows.append([Entry(w.name), *map(Entry, [*values, settings or "—"])])
    columns = [
        "workload",
        "probe",
        "context",
        "input",
        "batch",
        "precision",
        "data",
        "seeds or processes",
        "settings",
    ]
    return Table(columns, rows, "Workloads", open=False)


def _planned(workload: Workload) -> str:
    if workload.stopping is None:
        return text.count(workload.replicates, workload.block_unit)
    return f"{workload.replicates} to {text.count(workload.stopping.at_most, workload.block_unit)}"


def _metrics(run: Analysis) -> Table:
    rows = [
        [
            Entry(m.label),
            *map(Entry, (m.name, m.unit, f"{m.better} is better")),
            Entry(text.margin(m.margin, m.effect_kind, m.unit) if m.margin else "any difference counts"),
            Entry(m.description),
        ]
        for m in run.study.metrics
    ]
    columns = ["metric", "name", "unit", "direction", "margin", "what it is"]
    return Table(columns, rows, "Metrics and margins", open=False)


def _environments(run: Analysis) -> Table:
    ids = list(run.environments)
    keys = list(dict.fromkeys(key for facts in run.environments.values() for key in facts))
    rows = [[Entry(key), *(Entry(str(run.environments[i].get(key, "—"))) for i in ids)] for key in keys]
    return Table(["", *ids], rows, "Environments", open=False)


TOPIC = Topic(
    "methods",
    "How each number was obtained",
    90,
    build,
    per_environment=False,
    summary="rules, margins, machines",
)

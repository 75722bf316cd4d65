"""Inside the network while it trains: whether gradients reach the first layers, what drifts, what is dead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from results import plots
from results.plots.inside import MOST_COLOURED
from results.records.resolved_study import CONTROL_FACTOR, Workload
from results.report.drawing import drawn_suffix
from results.report.section import Bullets, Entry, Figure, Group, Part, Section, Sentence, Table, Topic, words
from results.tables import format as text
from results.tables import inside as tables
from results.tables.analysis import Analysis
from results.tables.contexts import described
from results.tables.inside import LOOKS
from results.verdicts.losses import natural

_MEANING = (
    "At some steps each layer was looked at, which changes nothing of the training. Gradients are norms of "
    "those of the weights, before the optimizer's step; the rest is of what reaches activations, and of what "
    "leaves them, in that step's batch. Drift is how far the mean of a channel lies from that of the batch "
    "before, in standard deviations of the channel (the first batch has none before it: its drift is the "
    "second's); beside it stands what two draws of images alone bring about in a network that neither "
    "learns nor normalises by batch. Right behind a BatchNorm a channel's mean and variance in a batch are "
    "its own offset and scale by construction, whatever the network does; sums with a shortcut have no such "
    "guarantee. Figures are medians over seeds with the lowest and the highest: what was seen, no verdicts."
)
_TOLD = {
    "gradient_ends": (
        *("Gradients:", "the gradient of the first layer is", "of the last layer's"),
        ("first", "last"),
    ),
    "variance_ends": (
        *("Variance:", "the variance before the first activation is", "of that before the last"),
        ("first", "last"),
    ),
    # Under most schedules nothing moves at the last step.
    "drift": (
        *("Drift:", "the mean of a channel moves from batch to batch by", "of its standard deviation"),
        ("first", "middle"),
    ),
    "dead": (
        *("Dead ReLUs:", "channels without a positive output are", "of all"),
        ("first", "last"),
    ),
}
"""Figures in sentences: what leads, what goes before the number, what comes after it, which looks."""
_COLUMNS = {
    "gradient_ends": "gradient, first layer over last",
    "relative_gradient_ends": "gradient over weight, first over last",
    "variance_ends": "variance, first over last",
    "drift": "drift",
    "chance_drift": "drift by other images alone",
    "dead": "dead ReLUs",
}
Row = dict[Any, Any]


def build(run: Analysis, environment: str) -> Section:
    """What looks found in one environment; empty where none was recorded."""
    if run.inside.empty:
        return Section()
    frame = run.inside[run.inside["environment"] == environment]
    told: list[Sentence] = []
    figures: list[Figure] = []
    groups: list[Part] = []
    for workload in run.study.workloads:
        mine = frame[frame["workload"] == workload.name]
        if len(mine):
            found = _Found.of(run, workload, mine)
            suffix = f"-{len(groups) + 1}" if groups else ""
            told += _reach(found)
            drawn = list(_gradients(found, suffix))
            # The first workload's figure answers the question; others stand with their numbers.
            figures, beside = (figures, drawn) if groups else (drawn, [])
            groups.append(Group(f"{workload.name}: {found.where}", [*beside, *_evidence(found, suffix)]))
    evidence: list[Part] = [words(_MEANING), *groups] if groups else []
    parts: list[Part] = [*([Bullets(told)] if told else []), *figures]
    return Section(parts, data={"inside": run.inside}, evidence=evidence)


@dataclass(frozen=True)
class _Found:
    """What looks found in one workload.

    Attributes:
        workload: The workload.
        where: Its context.
        frame: As `Analysis.inside` holds it.
        looks: Those that are told.
        rows: As `tables.summary` gives them.
        baseline: The baseline's name.
        differ: Arms that differ from it, the most different first.
        alike: Arms that do not.
        others: All but the baseline, the control left out.
    """

    workload: Workload
    where: str
    frame: pd.DataFrame
    looks: pd.DataFrame
    rows: pd.DataFrame
    baseline: str
    differ: Sequence[str]
    alike: Sequence[str]
    others: Sequence[str]

    @classmethod
    def of(cls, run: Analysis, workload: Workload, frame: pd.DataFrame) -> "_Found":
        looks = tables.looks(frame)
        trainings = tables.by_training(looks)
        apart = tables.distances(trainings, run.study.baseline)
        return cls(
            *(workload, described(run.study, workload), frame, looks, tables.summary(trainings)),
            run.study.baseline,
            *(list(apart[apart != 0].index), list(apart[apart == 0].index), list(apart.index)),
        )

    @property
    def drawn(self) -> list[str]:
        """The baseline, and as many of the most different arms as can be told apart."""
        return [self.baseline, *self.differ[: MOST_COLOURED - 1]]


def _reach(found: _Found) -> Iterator[Sentence]:
    """How far gradients reach back, at the first look and at the last: the baseline, and both extremes."""
    ends = found.rows[(found.rows["figure"] == "gradient_ends") & (found.rows["role"] != "control")]
    clauses = []
    for look in ("first", "last"):
        known = _by_arm(ends[ends["look"] == look])
        if found.baseline not in known:
            continue
        usual = known[found.baseline]
        others = sorted((known[arm] for arm in found.differ if arm in known), key=lambda row: row["median"])
        extremes = [f"{_times(row['median'])} with {row['arm']}" for row in (*others[:1], *others[1:][-1:])]
        beside = f" ({' to '.join(extremes)})" if extremes else ""
        clauses.append(f"{_times(usual['median'])} in the baseline at step {int(usual['step']):,}{beside}")
    if clauses:
        yield Sentence(
            f"{', '.join(clauses)} [{found.where}].", "First layer's gradient over the last layer's:"
        )


def _times(ratio: float) -> str:
    """No reader wants the digits of what has vanished."""
    if ratio < 1e-3:
        return "less than 0.001"
    return f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}"


def _gradients(found: _Found, suffix: str) -> Iterator[Figure]:
    layers = _in_order(tables.relative_gradients(found.looks), found.drawn)
    if layers.empty:
        return
    drawn = found.drawn
    title = f"Do the first layers still learn? Gradients by depth [{found.workload.name}]"
    title += drawn_suffix(len(drawn) - 1, len(found.differ))
    alt = (
        "Line chart over depth: the norm of each layer's gradient over that of the last layer, at the first "
        f"look and at the last, for {', '.join(drawn)}; medians over seeds."
    )
    table = _gradient_table(layers)
    yield Figure(
        f"gradients{suffix}", title, alt, partial(plots.gradients, _in_order(found.frame, drawn)), table
    )


def _gradient_table(layers: pd.DataFrame) -> Table:
    """A line an arm and look: the first layer, the one in the middle, the last."""
    shown = []
    for (arm, look), line in layers.groupby(["arm", "look"], sort=False):
        if look == "middle":
            continue
        ordered = line.sort_values("depth", kind="stable").to_dict("records")
        places = (0, len(ordered) // 2, -1)
        cells = (Entry(_times(ordered[place]["value"]), detail=ordered[place]["layer"]) for place in places)
        shown.append([Entry(str(arm)), Entry(f"{int(line['step'].min()):,}"), *cells])
    columns = ["change", "step", "first layer", "middle layer", "last layer"]
    return Table(columns, shown, "Gradient norms over the last layer's, medians over seeds", open=False)


def _in_order(frame: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    places = {arm: place for place, arm in enumerate(arms)}
    kept = frame[frame["arm"].isin(arms)]
    return kept.sort_values("arm", key=lambda column: column.map(places), kind="stable")


def _evidence(found: _Found, suffix: str) -> Iterator[Part]:
    rows, baseline, arms = found.rows, found.baseline, found.drawn[1:]
    said = [_sentence(rows, baseline, arms, figure) for figure in _TOLD if figure in set(rows["figure"])]
    yield Bullets([*said, *_alike(found.alike), *_diverged(found.frame, baseline)])
    yield _figure(found, suffix)
    yield _table(rows, [baseline, *found.others, CONTROL_FACTOR])


def _sentence(rows: pd.DataFrame, baseline: str, arms: Sequence[str], figure: str) -> Sentence:
    """A figure of the baseline and of the arms that differ most, at two looks."""
    lead, before, after, looks = _TOLD[figure]
    there = set(rows[rows["figure"] == figure]["look"])
    clauses = []
    for look in dict.fromkeys(name if name in there else "last" for name in looks):
        mine = rows[rows["look"] == look]
        known = _by_arm(mine[mine["figure"] == figure])
        chance = _by_arm(mine[mine["figure"] == "chance_drift"]) if figure == "drift" else {}
        told = {arm: _known(row, chance.get(arm)) for arm, row in known.items()}
        others = [arm for arm in arms if arm in known]
        if baseline in known:
            step = int(known[baseline]["step"])
            said = f"At step {step:,} {before} {told[baseline]} {after} in the baseline"
            near = [arm for arm in others if _overlap(known[arm], known[baseline])]
            said += "".join(f"; {arm} {told[arm]}" for arm in others if arm not in near)
            said += f"; within reach of the baseline's seeds: {', '.join(near)}" if near else ""
            clauses.append(f"{said}.")
        elif others:
            said = "; ".join(f"{arm} {told[arm]}" for arm in others)
            clauses.append(
                f"At step {int(known[others[0]]['step']):,} {before} (as a share {after}): {said}."
            )
    return Sentence(" ".join(clauses), lead=lead)


def _by_arm(rows: pd.DataFrame) -> dict[str, Row]:
    return {str(row["arm"]): dict(row) for row in rows.to_dict("records")}


def _known(row: Row, chance: Row | None = None) -> str:
    """A median with its reach over seeds: `0.02 [0.01 to 0.03, 6 seeds]`."""
    reach = f"{_number(row['low'], row)} to {_number(row['high'], row)}, " if row["n"] > 1 else ""
    images = f"; other images alone {_number(chance['median'], chance)}" if chance else ""
    return f"{_number(row['median'], row)} [{reach}{text.count(int(row['n']), 'seed')}{images}]"


def _overlap(one: Row, other: Row) -> bool:
    """Whether the seeds of two arms reach into each other."""
    return bool(one["low"] <= other["high"] and other["low"] <= one["high"])


def _number(number: float, row: "Row | pd.Series[Any]") -> str:
    if row["figure"] == "dead":
        return text.value(number, "fraction")
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _alike(arms: Sequence[str]) -> Iterator[Sentence]:
    if arms:
        yield Sentence(f"{', '.join(arms)}: the baseline's figures, seed by seed.", lead="No difference:")


def _diverged(frame: pd.DataFrame, baseline: str) -> Iterator[Sentence]:
    """Trainings that diverged: the largest gradient of a layer at the last look before."""
    norms = frame[frame["what"] == "gradient_norm"]
    lost = norms[norms["status"] == "diverged"].dropna(subset="value")
    kept = norms[(norms["arm"] == baseline) & (norms["status"] == "ok")]
    for arm, rows in lost.groupby("arm", sort=False):
        last = rows[rows["step"] == rows.groupby("block")["step"].transform("max")]
        largest = last.groupby(["block", "step"])["value"].max()
        steps = largest.index.get_level_values("step")
        beside = kept[kept["step"].isin(steps)].groupby(["block", "step"])["value"].max()
        when = " to ".join(dict.fromkeys(f"{step:,}" for step in (steps.min(), steps.max())))
        said = (
            f"{text.count(last['block'].nunique(), 'seed')} diverged; at the last look before, step {when}, "
            f"the largest gradient of a layer had a norm of {largest.median():.3g} (median over seeds)"
        )
        said += f", the baseline's {beside.median():.3g}" if len(beside) else ""
        blocks = ", ".join(sorted(map(str, last["block"].unique()), key=natural)[:6])
        yield Sentence(f"{said} [{blocks}].", f"{arm}:", "warning")


def _figure(found: _Found, suffix: str) -> Figure:
    arms = found.drawn
    title = f"Inside the network, layer by layer [{found.workload.name}]"
    title += drawn_suffix(len(arms) - 1, len(found.differ))
    alt = (
        "Line charts over depth, an early and a late look: gradient norms, means, variances and drift before "
        f"activations, and the share of dead ReLUs, for {', '.join(arms)}; medians over seeds."
    )
    return Figure(f"inside{suffix}", title, alt, partial(plots.inside, _in_order(found.frame, arms)))


def _table(rows: pd.DataFrame, arms: Sequence[str]) -> Table:
    shown = []
    for arm in arms:
        for look in LOOKS:
            mine = rows[(rows["arm"] == arm) & (rows["look"] == look)]
            known: dict[str, Row] = {str(row["figure"]): dict(row) for row in mine.to_dict("records")}
            if known:
                step = f"{int(mine['step'].min()):,}"
                shown.append([Entry(arm), Entry(step), *(_cell(known.get(name)) for name in _COLUMNS)])
    columns = ["change", "step", *_COLUMNS.values()]
    return Table(columns, shown, "The first look, the middle one, the last: medians over seeds", open=False)


def _cell(row: Row | None) -> Entry:
    if row is None:
        return Entry("—")
    reach = f"{_number(row['low'], row)} to {_number(row['high'], row)}, n = {row['n']}"
    return Entry(_number(row["median"], row), detail=reach)


TOPIC = Topic(
    "inside",
    "Inside the network",
    55,
    build,
    summary="gradients, activations, drift and dead ReLUs by layer",
)

"""Why memory changed: by tensor, what in-place operations save, and which batch fits which card."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from results import plots
from results.frames.memory_profiles import most_changed, preferred
from results.records.resolved_study import CONTROL_FACTOR, Workload
from results.report import memory_tables as tables
from results.report.drawing import arms_to_draw, drawn_suffix
from results.report.findings import findings
from results.report.section import Bullets, Figure, Group, Part, Section, Sentence, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.contexts import described

_CHANGES = (
    "Each change less the baseline: at the peak, in what the forward pass leaves for the backward pass, and "
    "in the tensors that are made over the whole pass. Figures are exact: the same in every run."
)
_TENSORS = (
    "The heaviest tensors that differ at the peak: how many of them the baseline holds there, how many the "
    "change."
)
_IN_PLACE = (
    "These factors leave the function computed as it is. Each row sets two variants side by side that differ "
    "in nothing else: what the first level needs, less what the second needs."
)


def build(run: Analysis, environment: str) -> Section:
    """Memory in one environment; empty where nothing measured or simulated any."""
    effects = run.effects[run.effects["environment"] == environment]
    effects = effects[effects["factor"] != CONTROL_FACTOR]
    if "peak_bytes" not in set(effects["metric"]):
        return Section()
    profiles = run.memory_profiles
    profiles = profiles[(profiles["environment"] == environment) & (profiles["role"] != "control")]
    arms = arms_to_draw(effects)
    shown = effects[effects["arm"].isin(arms)]
    drawn = profiles[profiles["arm"].isin([run.study.baseline, *arms])]
    alt = f"Bar chart: peak memory of the baseline and of {', '.join(arms)}."
    sources = " beside ".join(sorted(set(shown.loc[shown["metric"] == "peak_bytes", "source"]), reverse=True))
    title = f"What does each change need at its peak? ({sources})"
    title += drawn_suffix(len(arms), effects["arm"].nunique())
    bars = Figure("memory", title, alt, partial(plots.memory_bars, shown))
    found = findings(run, effects[effects["kind"] == "memory"])
    told: list[Part] = [Bullets(found)] if found else []
    drawn = _shown(effects, drawn)
    return Section(
        [*told, bars, *_categories(drawn)],
        evidence=[*_workloads(run, environment, profiles), *_over_time(drawn)],
    )


def _workloads(run: Analysis, environment: str, profiles: pd.DataFrame) -> Iterator[Group]:
    pairs = run.in_place[run.in_place["environment"] == environment]
    for workload in run.study.workloads:
        mine = profiles[profiles["workload"] == workload.name]
        if len(mine):
            parts = [*_changes(mine), *_in_place(pairs[pairs["workload"] == workload.name]), *_batches(mine)]
            yield Group(_title(run, workload), parts, folded=True)


def _title(run: Analysis, workload: Workload) -> str:
    return f"{workload.name}: {described(run.study, workload)}"


def _changes(profiles: pd.DataFrame) -> list[Part]:
    changes = list(tables.changes(profiles))
    if not any(table.rows for table, _ in changes):
        return []
    found: list[Part] = [words(_CHANGES), *(table for table, _ in changes)]
    tensors = [table for _, table in changes if table.rows]
    return (
        [*found, Group("The tensors behind it", [words(_TENSORS), *tensors], folded=True)]
        if tensors
        else found
    )


def _in_place(pairs: pd.DataFrame) -> list[Part]:
    parts: list[Part] = []
    for factor, group in pairs.groupby("factor", sort=False):
        table, said = tables.in_place(str(factor), group)
        parts += [Bullets([Sentence(sentence) for sentence in said]), table]
    return [Group("What in-place operations save", [words(_IN_PLACE), *parts])] if parts else []


def _batches(profiles: pd.DataFrame) -> list[Part]:
    planned = profiles[[bool(sizes) for sizes in profiles["largest_batch_size"]]]
    found = list(tables.batches(planned))
    if not found:
        return []
    margins = sorted({float(share) for share in planned["safety_margin"].dropna()})
    free = " or ".join(text.value(share, "fraction") for share in margins)
    said = "By simulation, not tried on the card: the most images that a pass can take; "
    said += f"{free} of the card is left free."
    return [Group("Largest batch by card", [words(said), *found])]


def _shown(effects: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """What is inert is not drawn."""
    idle = effects[effects["inert"]]
    inert = set(zip(idle["workload"], idle["arm"], strict=True))
    places = zip(profiles["workload"], profiles["arm"], strict=True)
    return profiles[pd.Series([place not in inert for place in places], index=profiles.index, dtype=bool)]


def _categories(shown: pd.DataFrame) -> Iterator[Figure]:
    if len(shown):
        arms = ", ".join(dict.fromkeys(shown["arm"]))
        alt = f"Stacked bar chart: bytes alive at the peak by category for {arms}."
        title = "Where does the memory go? What is alive at the peak"
        yield Figure("memory-categories", title, alt, partial(plots.memory_categories, shown))


def _over_time(shown: pd.DataFrame) -> Iterator[Figure]:
    """A training step of the baseline and of the change that differs most."""
    if shown.empty:
        return
    steps = preferred(shown[shown["mode"] == "train"])
    two = [most_changed(group) for _, group in steps.groupby("workload", sort=False)]
    named = "; ".join(
        f"{' and '.join(rows['arm'])} [{rows['workload'].iloc[0]}]" for rows in two if len(rows)
    )
    if not named:
        return
    title = "Live bytes over a training step: the baseline, and the change whose peak differs most"
    alt = f"Line chart: live bytes over the operations of a training step, phases marked, for {named}."
    yield Figure("memory-timeline", title, alt, partial(plots.memory_timeline, shown))
    title = "What the forward pass keeps for the backward pass, by module"
    alt = f"Paired bar chart: bytes saved for backward by top-level module for {named}."
    yield Figure("memory-saved", title, alt, partial(plots.memory_saved, shown))


TOPIC = Topic("memory", "Memory", 30, build, summary="by tensor, in place or not, largest batch")

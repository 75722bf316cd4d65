"""What each choice costs and buys: one table, the same in words, and the figures that show it."""

from functools import partial

import pandas as pd

from results import plots
from results.records.resolved_study import CONTROL_FACTOR
from results.report.control_words import duplicates_that_differ, noise_floor
from results.report.drawing import arms_to_draw, drawn_suffix
from results.report.effect_tables import headline_entry
from results.report.notes import effects_with_notes
from results.report.section import (
    Bullets,
    Entry,
    Figure,
    Group,
    Paragraph,
    Part,
    Section,
    Sentence,
    Table,
    Topic,
    words,
)
from results.report.words import answers
from results.tables import format as text
from results.tables import verdict_words
from results.tables.analysis import Analysis
from results.tables.headline import HeadlineColumn, headline_columns, title


def build(run: Analysis, environment: str) -> Section:
    """The answer of one environment."""
    noted = effects_with_notes(run)
    data = {"effects": noted, "variants": run.variants}
    effects = noted[noted["environment"] == environment]
    columns = list(headline_columns(run.study, effects))
    if not columns:
        nothing = [words("No headline metric is on record yet.")] if run.study.workloads else []
        return Section(nothing, data=data)
    floor = noise_line(run, environment)
    duplicates = list(duplicates_that_differ(effects[effects["headline"]]))
    parts: list[Part] = [
        headline_table(columns),
        Paragraph([Sentence(verdict_words.LEGEND, tone="soft")], brief=True),
        *([Paragraph([Sentence(floor, tone="soft")], brief=True)] if floor else []),
        *([Bullets(duplicates, brief=len(duplicates))] if duplicates else []),
        *_figures(run, effects, environment),
        Group("The same in words", _in_words(run, columns), folded=True),
    ]
    return Section(parts, data=data)


def _arms(columns: list[HeadlineColumn]) -> list[str]:
    return list(dict.fromkeys(arm for column in columns for arm in column.rows["arm"]))


def headline_table(columns: list[HeadlineColumn]) -> Table:
    """Arms down, headline metrics across, each under the context that it holds in; the baseline first."""
    arms = _arms(columns)
    found = [dict(zip(c.rows["arm"], c.rows.to_dict("records"), strict=True)) for c in columns]
    baseline = [Entry(_baseline(column.rows)) for column in columns]
    rows = [[Entry("baseline"), *baseline]]
    for arm in arms:
        cells = (headline_entry(rows[arm]) if arm in rows else Entry("—") for rows in found)
        rows.append([Entry(arm), *cells])
    return Table(
        ["change", *(_head(column) for column in columns)],
        rows,
        "What each change does against the baseline",
        groups=["", *(column.context for column in columns)],
        brief=True,
    )


def _baseline(rows: pd.DataFrame) -> str:
    known = rows["baseline_value"].dropna()
    return text.value(float(known.iloc[0]), rows["unit"].iloc[0]) if len(known) else "—"


def _head(column: HeadlineColumn) -> str:
    """`time per step, train (n = 8, margin ±5.0 %)`."""
    first = column.rows.iloc[0]
    varying = column.rows[~(column.rows["placebo"] & column.rows["identical"])]
    counts = [int(n) for n in varying["n"] if n]
    others = [int(n) for n in varying["baseline_n"].dropna() if n]
    against = f" against {_span(others)}" if others else ""
    n = "exact" if column.rows["exact"].any() else f"n = {_span(counts)}" if counts else "no value"
    margin = text.either_way(first["margin"], first["effect_kind"], first["unit"])
    return f"{column.title} ({n}{against}, margin {margin})"


def _span(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _in_words(run: Analysis, columns: list[HeadlineColumn]) -> list[Group]:
    first = {factor.name: factor.levels[0] for factor in run.study.factors if factor.levels}
    changes = {arm.name: arm.changes for arm in run.study.arms}
    found = []
    for arm, sentences in answers(columns).items():
        instead = ", ".join(f"{name} = {first[name]}" for name in sorted(changes[arm]) if name in first)
        found.append(Group(f"{arm}, instead of {instead}" if instead else arm, [Bullets(sentences)]))
    return found


def noise_line(run: Analysis, environment: str) -> str:
    """The noise floor of each headline metric that varies, per mode, as far as it is known; "" for none."""
    noise = run.noise_floor
    rows = noise[(noise["environment"] == environment) & noise["headline"].astype(bool)]
    several = rows["workload"].nunique() > 1
    said = []
    for _, row in rows.iterrows():
        where = f" [{row['workload']}]" if several else ""
        said.append(f"{title(row)}{where} {noise_floor(row.to_dict())}")
    if not said:
        return ""
    return f"Noise floor, as far as the interval of the baseline's own duplicate reaches: {', '.join(said)}."


def _figures(run: Analysis, effects: pd.DataFrame, environment: str) -> list[Figure]:
    noise = run.noise_floor[run.noise_floor["environment"] == environment]
    arms = arms_to_draw(effects)
    shown = effects[effects["arm"].isin(arms)]
    others = drawn_suffix(len(arms), effects[effects["factor"] != CONTROL_FACTOR]["arm"].nunique())
    names = ", ".join(arms)
    alt = f"Forest plot: change against the baseline with simultaneous 95 % intervals for {names}."
    title = f"Every effect with its interval{others}"
    drawn = [Figure("effects", title, alt, partial(plots.forest, run.study, shown, noise))]
    if {"throughput", "convergence"} <= set(effects["kind"]):
        alt = f"Scatter plot: relative step time against difference in accuracy for {names}."
        title = f"What time buys in accuracy{others}"
        drawn.append(Figure("tradeoff", title, alt, partial(plots.tradeoff, run.study, shown)))
    return drawn


TOPIC = Topic(
    "answer", "What each choice costs and buys", 10, build, summary="the headline, in a table and in words"
)

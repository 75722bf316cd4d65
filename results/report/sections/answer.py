"""What each choice costs and buys: one table, the same in words, and the figures that show it."""

from dataclasses import replace
from functools import partial

import pandas as pd

from results import plots
from results.records.resolved_study import CONTROL_FACTOR
from results.report.control_words import duplicates_that_differ, noise_floor
from results.report.drawing import arms_to_draw, drawn_suffix
from results.report.effect_tables import headline_entry
from results.report.notes import effects_with_notes, with_notes
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
from results.verdicts.designs import FACTORIALS, FRACTION

ARMS_CAPTION = "What each change does against the baseline"
_AVERAGED_CAPTION = "What each change does, averaged over the others"
_AVERAGED = (
    "An effect below is the mean of what the change does whatever else there is. Where changes mind each "
    "other, a mean tells half; the next section tells which do."
)

_OF_FRACTION = (
    "Only a fraction of the combinations was run, and what three changes do together was taken for nothing: "
    "where the next section finds large sums of interactions, do not rely on it."
)


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
    every, figures = headline_table(columns, ARMS_CAPTION), _figures(run, effects, environment)
    means = _averaged(run, environment)
    averaged = list(headline_columns(run.study, means)) if means is not None else []
    answers: list[Part] = [every]
    if means is not None:
        combinations: list[Part] = [replace(every, brief=False), *figures]
        figures = [_forest_of_means(run, means, environment)]
        answers = [
            words(_AVERAGED, *([_OF_FRACTION] if run.study.design == FRACTION else [])),
            headline_table(averaged, _AVERAGED_CAPTION, columns),
            Group("Each combination against the baseline", combinations, folded=True),
        ]
    parts: list[Part] = [
        *answers,
        Paragraph([Sentence(verdict_words.LEGEND, tone="soft")], brief=True),
        *([Paragraph([Sentence(floor, tone="soft")], brief=True)] if floor else []),
        *([Bullets(duplicates, brief=len(duplicates))] if duplicates else []),
        *figures,
        Group("The same in words", _in_words(averaged or columns), folded=True),
    ]
    return Section(parts, data=data)


def _averaged(run: Analysis, environment: str) -> pd.DataFrame | None:
    """Main effects of a factorial design with their notes; None for any other."""
    if run.study.design not in FACTORIALS or run.main_effects.empty:
        return None
    rows = with_notes(run, run.main_effects)
    return rows[rows["environment"] == environment]


def _forest_of_means(run: Analysis, means: pd.DataFrame, environment: str) -> Figure:
    noise = run.noise_floor[run.noise_floor["environment"] == environment]
    names = ", ".join(dict.fromkeys(means["arm"]))
    alt = (
        f"Forest plot: change averaged over the other factors, with simultaneous 95 % intervals, for {names}."
    )
    title = "Every change, averaged over the others, with its interval"
    return Figure("main-effects", title, alt, partial(plots.forest, run.study, means, noise))


def _arms(columns: list[HeadlineColumn]) -> list[str]:
    return list(dict.fromkeys(arm for column in columns for arm in column.rows["arm"]))


def headline_table(
    columns: list[HeadlineColumn], caption: str, of_baseline: list[HeadlineColumn] | None = None
) -> Table:
    """Changes down, headline metrics across, each under the context that it holds in; the baseline first.

    Args:
        columns: The headline.
        caption: What the table is.
        of_baseline: Columns that know the baseline's own values, where `columns` are averages.
    """
    arms = _arms(columns)
    found = [dict(zip(c.rows["arm"], c.rows.to_dict("records"), strict=True)) for c in columns]
    known = {(column.title, column.context): _baseline(column.rows) for column in of_baseline or columns}
    baseline = [Entry(known.get((column.title, column.context), "—")) for column in columns]
    rows = [[Entry("baseline"), *baseline]]
    for arm in arms:
        cells = (headline_entry(rows[arm]) if arm in rows else Entry("—") for rows in found)
        rows.append([Entry(arm), *cells])
    return Table(
        ["change", *(_head(column) for column in columns)],
        rows,
        caption,
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
    exact = "exact but for products of three" if (column.rows["sets"] == 0).any() else "exact"
    n = exact if column.rows["exact"].any() else f"n = {_span(counts)}" if counts else "no value"
    margin = text.either_way(first["margin"], first["effect_kind"], first["unit"])
    return f"{column.title} ({n}{against}, margin {margin})"


def _span(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _in_words(columns: list[HeadlineColumn]) -> list[Group]:
    instead: dict[str, str] = {}
    for row in (row for column in columns for row in column.rows.to_dict("records")):
        names, levels = row["factor"].split("+"), row["baseline_level"].split("+")
        pairs = zip(names, levels, strict=True)
        instead[row["arm"]] = ", ".join(f"{name} = {level}" for name, level in pairs if level)
    return [
        Group(f"{arm}, instead of {instead[arm]}" if instead[arm] else arm, [Bullets(sentences)])
        for arm, sentences in answers(columns).items()
    ]


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

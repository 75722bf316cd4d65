"""What each choice costs and buys: one table, the same in words, and the figures that show it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd

from results import plots
from results.records.resolved_study import CONTROL_FACTOR
from results.report.changes import changes_table
from results.report.control_words import duplicates_that_differ
from results.report.drawing import MOST_ROWS, arms_to_draw, drawn_suffix
from results.report.headline import ARMS_CAPTION, AVERAGED_CAPTION, headline, noise_line
from results.report.in_short import MOST_NAMED, in_short
from results.report.notes import effects_with_notes
from results.report.row_evidence import row_evidence
from results.report.section import (
    Bullets,
    Figure,
    Group,
    Paragraph,
    Part,
    Section,
    Sentence,
    Topic,
    words,
)
from results.report.trade import plane
from results.report.words import answers
from results.tables import verdict_words
from results.tables.analysis import Analysis
from results.tables.headline import HeadlineColumn
from results.verdicts.claims import VERDICTS
from results.verdicts.designs import FRACTION

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
    found = headline(run, environment)
    columns, shown = found.arms, found.shown
    if not columns:
        nothing = [words("No headline metric is on record yet.")] if run.study.workloads else []
        return Section(nothing, data=data)
    floor = noise_line(run, environment)
    duplicates = list(duplicates_that_differ(effects[effects["headline"]]))
    drawn = arms_to_draw(effects)
    opened = row_evidence(run, environment, columns, drawn)
    kept = arms_to_draw(effects, MOST_ROWS)
    every = changes_table(columns, ARMS_CAPTION, evidence=opened, kept=kept)
    answers: list[Part] = [every]
    forest, *figures = _figures(run, effects, environment, columns)
    short = [*_claims_in_short(run, environment), *in_short(shown, _asked(run))]
    evidence: list[Part] = [forest]
    if found.means is not None:
        answers = [
            words(_AVERAGED, *([_OF_FRACTION] if run.study.design == FRACTION else [])),
            changes_table(found.averaged, AVERAGED_CAPTION, columns),
        ]
        combinations: list[Part] = [replace(every, brief=False), forest, *figures]
        each = Group("Each combination against the baseline", combinations, folded=True)
        evidence, figures = [_forest_of_means(run, found.means, environment), each], []
    told = in_words(shown, drawn if found.means is None else None)
    evidence.append(Group("The same in words", told, folded=True))
    parts: list[Part] = [
        Bullets(short, brief=len(short)),
        *answers,
        Paragraph([Sentence(verdict_words.LEGEND, tone="soft")], brief=True),
        *([Paragraph([Sentence(floor, tone="soft")], brief=True)] if floor else []),
        *([Bullets(duplicates, brief=len(duplicates))] if duplicates else []),
        *figures,
    ]
    return Section(parts, data=data, evidence=evidence)


def _asked(run: Analysis) -> set[str]:
    """Kinds of workloads that have a headline metric, whether or not anything is on record."""
    kinds = {"memory", "throughput", "convergence"}
    return kinds & {workload.kind for workload in run.study.workloads if workload.variants}


def _claims_in_short(run: Analysis, environment: str) -> list[Sentence]:
    """How many claims came out how, where the study puts any to the test; those contradicted by name."""
    claims = run.claims
    claims = claims[(claims["environment"] == environment) & (claims["verdict"] != "not run")]
    if claims.empty:
        return []
    counts = claims["verdict"].value_counts(sort=False)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts)
    against = list(claims[claims["verdict"] == "contradicted"]["statement"])
    named = f" Contradicted: {'; '.join(against[:MOST_NAMED])}" if against else ""
    more = f" and {len(against) - MOST_NAMED} more" if len(against) > MOST_NAMED else ""
    return [Sentence(f"{said}.{named}{more}{'.' if named else ''}", lead="What others say:", tone="key")]


def _forest_of_means(run: Analysis, means: pd.DataFrame, environment: str) -> Figure:
    noise = run.noise_floor[run.noise_floor["environment"] == environment]
    names = ", ".join(dict.fromkeys(means["arm"]))
    alt = (
        f"Forest plot: change averaged over the other factors, with simultaneous 95 % intervals, for {names}."
    )
    title = "Every change, averaged over the others, with its interval"
    return Figure("main-effects", title, alt, partial(plots.forest, run.study, means, noise))


def in_words(columns: Sequence[HeadlineColumn], arms: Sequence[str] | None) -> list[Group]:
    """What each change does, or each of some, a sentence for each context."""
    instead: dict[str, str] = {}
    for row in (row for column in columns for row in column.rows.to_dict("records")):
        names, levels = row["factor"].split("+"), row["baseline_level"].split("+")
        pairs = zip(names, levels, strict=True)
        instead[row["arm"]] = ", ".join(f"{name} = {level}" for name, level in pairs if level)
    return [
        Group(f"{arm}, instead of {instead[arm]}" if instead[arm] else arm, [Bullets(sentences)])
        for arm, sentences in answers(columns).items()
        if arms is None or arm in arms
    ]


def _figures(
    run: Analysis, effects: pd.DataFrame, environment: str, columns: Sequence[HeadlineColumn]
) -> list[Figure]:
    noise = run.noise_floor[run.noise_floor["environment"] == environment]
    arms = arms_to_draw(effects)
    shown = effects[effects["arm"].isin(arms)]
    others = drawn_suffix(len(arms), effects[effects["factor"] != CONTROL_FACTOR]["arm"].nunique())
    names = ", ".join(arms)
    alt = f"Forest plot: change against the baseline with simultaneous 95 % intervals for {names}."
    title = f"How large is each effect, and how well is it known?{others}"
    drawn = [Figure("effects", title, alt, partial(plots.forest, run.study, shown, noise))]
    if {"throughput", "convergence"} <= set(effects["kind"]):
        alt = f"Scatter plot: relative step time against difference in accuracy for {names}."
        draw = partial(plots.tradeoff, run.study, shown)
        title = f"What does it cost, and what does it buy?{others}"
        drawn.append(Figure("tradeoff", title, alt, draw, plane=plane(columns, arms)))
    return drawn


TOPIC = Topic(
    "answer", "What each choice costs and buys", 10, build, summary="the headline, in a table and in words"
)

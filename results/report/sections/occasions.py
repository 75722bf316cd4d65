"""For what verdicts of time hold, and how much effects vary from one occasion to the next."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from results.report.section import Bullets, Entry, Section, Sentence, Table, Topic, words
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.headline import title
from results.verdicts.statistics import MINIMUM_BLOCKS

_AGAIN = "The same command with --again adds another occasion, some hours or a restart later."
_MEANING = (
    "The same study was timed on several occasions. Between them: how far the true effects of single "
    "occasions scatter (a standard deviation). Within one: how well an occasion knows its own (the standard "
    "error of its mean). The test is a one-way analysis of variance, adjusted over the changes and modes of "
    "a workload; agreement says that so many occasions show no difference, not that there is none."
)
_SOON_HOURS = 1.0
"""Occasions closer than this may share what passes: a neighbour's load, a warm machine."""
Row = Mapping[Hashable, Any]


def populations(frame: pd.DataFrame) -> list[Sentence]:
    """What verdicts of time hold for: a sentence, or one for each population where there are several.

    Args:
        frame: As `Analysis.occasions` gives it, of one environment.
    """
    told = {}
    for population, rows in frame.groupby("population", sort=False):
        count = int(rows["occasions"].max())
        which = f"Times of {', '.join(dict.fromkeys(rows['workload']))}"
        who = "Timed verdicts hold" if frame["population"].nunique() == 1 else f"{which} hold"
        if count == 1:
            counts = ""
        elif count < MINIMUM_BLOCKS:
            counts = f": n counts the processes of all; {MINIMUM_BLOCKS} would speak for the machine"
        else:
            counts = f": n counts its {count} occasions"
        told[f"{who} for {population}{counts}."] = count
    more = [] if max(told.values(), default=0) >= MINIMUM_BLOCKS else [_AGAIN]
    return [Sentence(said) for said in (*told, *more)] if told else []


def build(run: Analysis, environment: str) -> Section:
    """What several occasions of one environment say; nothing to show where there is one."""
    data = {"occasions": run.occasions} if (run.occasions["occasions"] > 1).any() else {}
    frame = run.occasions[run.occasions["environment"] == environment]
    several = frame[frame["occasions"] > 1]
    if several.empty:
        return Section(data=data)
    said = [*populations(frame), *_variation(several), *_haste(several)]
    return Section([Bullets(said, brief=len(said))], data=data, evidence=[words(_MEANING), _table(several)])


def _variation(rows: pd.DataFrame) -> Iterator[Sentence]:
    """How much effects, and the baseline's own figures, vary from one occasion to the next."""
    for own, what in ((False, "effects"), (True, "the baseline's own figures")):
        mine = rows[((rows["role"] == "baseline") == own) & rows["between_sd"].notna()]
        if mine.empty:
            continue
        most = mine.sort_values("between_sd").iloc[-1]
        if most["between_sd"] == 0:
            yield Sentence(f"Between occasions {what} vary no more than within one.")
            continue
        where = f"{most['arm']}, {title(most)} [{most['workload']}]"
        spread = f"a standard deviation of up to {_spread(most['between_sd'], most)} ({where})"
        half = f"half of them {_spread(mine['between_sd'].median(), most)} or less"
        yield Sentence(f"Between occasions {what} have {spread}, {half}.")


def _haste(rows: pd.DataFrame) -> Iterator[Sentence]:
    hours = rows["hours_apart"].min()
    if hours < _SOON_HOURS:
        apart = f"Two occasions began {text.count(round(60 * hours), 'minute')} apart"
        yield Sentence(f"{apart}: so close, they may vary less than the machine does.", tone="warning")


def _spread(number: float, row: "Row | pd.Series[Any]") -> str:
    ratio = row["effect_kind"] == "ratio"
    return text.either_way(float(np.expm1(number)) if ratio else number, row["effect_kind"], row["unit"])


def _table(rows: pd.DataFrame) -> Table:
    shown = []
    for _, row in rows.iterrows():
        own, unit = row["role"] == "baseline", row["unit"]
        ends = [
            text.value(row[end], unit) if own else text.effect(row[end], row["effect_kind"], unit)
            for end in ("lowest", "highest")
        ]
        verdict = "" if own or row["verdict"] != "disagree" else "inconclusive"
        shown.append(
            [
                Entry(f"{row['arm']} (its own)" if own else row["arm"]),
                Entry(f"{title(row)} [{row['workload']}]"),
                Entry(f"{row['occasions']}"),
                Entry(" to ".join(ends)),
                Entry(_spread(row["between_sd"], row) if row["between_sd"] != 0 else "none seen"),
                Entry(_spread(row["within_se"], row)),
                Entry("—" if text.missing(row["f"]) else f"{row['f']:.2f}"),
                Entry(text.p_value(row["p_adjusted"])),
                Entry(row["verdict"], verdict),
            ]
        )
    columns = ["change", "metric", "occasions", "lowest to highest", "between", "within", "F", "adjusted p"]
    return Table([*columns, "do they agree"], shown, "From occasion to occasion", open=len(shown) <= 20)


TOPIC = Topic(
    "occasions",
    "From one occasion to the next",
    45,
    build,
    summary="how much times vary between hours and restarts",
)

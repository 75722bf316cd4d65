"""Claims, and what became of them."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from results.report.notes import n_needed
from results.report.section import Entry, Paragraph, Part, Section, Sentence, Table, Topic, row_anchor, words
from results.tables import format as text
from results.tables import verdict_words
from results.tables.analysis import Analysis
from results.tables.contexts import described
from results.verdicts.claims import VERDICTS

CLAIM_COLUMNS = [
    *("claim", "source", "statement", "predicted", "measured"),
    *("ci_low", "ci_high", "verdict", "reason", "evidence"),
]
"""Those of the report's contract; the facts behind them follow."""
_MORE = ["original", "environment", "workload", "arm", "metric", "mode", "effect", "unit", "n"]
_COLOURS = {"supported": "better", "contradicted": "worse", "equivalent": "equivalent", "inconclusive": ""}
_SURPRISES = ("contradicted", "equivalent", "inconclusive", "supported")
"""What one did not expect comes first."""
_MEANING = (
    "Each sentence was tied to a contrast of this study, or to a check of the operator, before the run."
)
_HERE = "Each verdict holds in the context that stands beside it, which is not that of the source."
_CAUSES = {
    "too_few": "too few {unit} for a verdict",
    "tied": "the metric is too coarse to tell the two apart",
    "heaps": "seeds fall into two heaps, and a mean stands for neither",
    "censored": "the metric was censored in some {unit}",
    "aliased": "a fraction cannot tell it from another effect",
    "missed": "one side never came to a number",
}

Row = dict[Hashable, Any]


def claim_rows(run: Analysis) -> pd.DataFrame:
    """One row per claim and environment: the contract's columns, and the facts behind them."""
    rows = run.claims.to_dict("records")
    told = [
        {
            **{name: row[name] for name in ("claim", "source", "statement", "predicted", "verdict")},
            **{name: row[name] for name in ("ci_low", "ci_high", *_MORE)},
            "measured": measured(row),
            "reason": reason(run, row),
            "evidence": evidence(row),
        }
        for row in rows
    ]
    return pd.DataFrame(told, columns=[*CLAIM_COLUMNS, *_MORE])


def measured(row: Row) -> str:
    """What was seen, in words: `+31 % (exact)`; "" where nothing was."""
    if text.missing(row["effect"]):
        told = row["verdict"] != "not run" and not text.missing_text(row["detail"])
        return str(row["detail"]) if told else ""
    if row["same_bits"] is True:
        return f"the same in {text.count(int(row['n']), str(row['block_unit']))}, bit for bit"
    kind, unit = row["effect_kind"], row["unit"]
    ends = "exact" if row["exact"] is True else text.reach(row["ci_low"], row["ci_high"], kind, unit)
    change = text.change(row["effect"], kind, unit)
    return f"{change} ({ends})" if ends else change


def reason(run: Analysis, row: Row) -> str:
    """Why it is not decided, or the context in which it is."""
    if row["verdict"] == "not run":
        return str(row["detail"])
    if text.missing(row["effect"]):
        return "by exercising the operator, on the CPU"
    here = next((described(run.study, w) for w in run.study.workloads if w.name == row["workload"]), "")
    if row["verdict"] != "inconclusive":
        return f"{verdict_words.PERHAPS_LESS}; {here}" if row["weak"] is True else here
    unit = text.plural(str(row["block_unit"]))
    match row["cause"]:
        case "imprecise" if needed := n_needed(row):
            why = f"the interval is too wide: {needed} {unit} in all would be narrow enough"
        case "imprecise":
            why = "the interval reaches to both sides of what the claim says"
        case "invalid":
            why = "the control failed" if row["fault"] == "control" else "the figures cannot be believed"
        case other:
            why = _CAUSES.get(str(other), "there is no number for both sides").format(unit=unit)
    return f"{why} [{here}]"


def evidence(row: Row) -> str:
    """Where the numbers stand: a row of effects.csv, or the record of the checks."""
    if row["verdict"] == "not run":
        return ""
    if text.missing_text(row["arm"]) or not row["arm"]:
        return f"checks, {row['claim']}"
    mode = "" if text.missing_text(row["mode"]) else f", {row['mode']}"
    return f"{row['workload']}: {row['arm']}, {row['metric']}{mode}"


def build(run: Analysis, _: str) -> Section:
    """Every claim of the study; an empty table for those who read it where there is none."""
    rows = claim_rows(run)
    if rows.empty:
        return Section(data={"claims": rows})
    counts = [f"{int((rows['verdict'] == v).sum())} {v}" for v in VERDICTS if (rows["verdict"] == v).any()]
    run_ = rows[rows["verdict"] != "not run"]
    counted = Sentence(f"{', '.join(counts)}.", lead=f"{text.count(len(rows), 'claim')}:")
    parts: list[Part] = [Paragraph([counted, Sentence(_HERE)], brief=True)]
    if len(run_):
        parts.append(_table(run_, run))
    evidence: list[Part] = [words(_MEANING)]
    evidence += [_contexts(group, str(source), run) for source, group in run_.groupby("source", sort=False)]
    left = rows[rows["verdict"] == "not run"]
    if len(left):
        entries = [[Entry(r["statement"]), Entry(r["source"]), Entry(r["reason"])] for r in _records(left)]
        heads = ["statement", "said by", "why not here"]
        evidence.append(Table(heads, entries, "Not run", open=False, long_names=True))
    return Section(parts, data={"claims": rows}, evidence=evidence)


def _records(rows: pd.DataFrame) -> list[Row]:
    found: list[Row] = rows.to_dict("records")
    return found


def _table(rows: pd.DataFrame, run: Analysis) -> Table:
    several = len(run.names) > 1
    entries = [
        [
            Entry(
                row["statement"],
                detail=", ".join([row["source"], *([row["environment"]] if several else [])]),
            ),
            Entry(row["verdict"], _COLOURS[row["verdict"]], link=_link(row, run.names[:1])),
            Entry(row["measured"] or "—", detail=f"predicted: {row['predicted']}"),
            Entry(row["reason"]),
        ]
        for row in sorted(_records(rows), key=lambda row: _SURPRISES.index(row["verdict"]))
    ]
    heads = ["claim", "verdict", "measured", "why, or where"]
    return Table(heads, entries, "Claims, and what was measured", brief=True, long_names=True)


def _contexts(rows: pd.DataFrame, source: str, run: Analysis) -> Table:
    """Where the numbers stand, beside those that the source names."""
    several, published = len(run.names) > 1, rows["original"].ne("").any()
    entries = [
        [
            Entry(row["statement"], detail=row["environment"] if several else ""),
            Entry(row["verdict"], _COLOURS[row["verdict"]]),
            Entry(row["evidence"] or "—"),
            *([Entry(row["original"] or "—")] if published else []),
        ]
        for row in _records(rows)
    ]
    heads = ["claim", "verdict", "row of effects.csv", *(["in the source"] if published else [])]
    return Table(heads, entries, source, long_names=True)


def _link(row: Row, first: tuple[str, ...]) -> str:
    """The row of the change in the first table, which opens; else where the record is named."""
    return row_anchor(str(row["arm"])) if row["arm"] and row["environment"] in first else "evidence-claims"


TOPIC = Topic(
    "claims",
    "What others say",
    15,
    build,
    per_environment=False,
    summary="sentences of others, put to the test",
)

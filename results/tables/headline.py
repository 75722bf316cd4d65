"""The headline: per arm what it costs and buys, in cells short enough for a terminal."""

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.tables import format as text

CELL_COLUMNS = ["arm", "environment", "column", "text", "verdict", "inert"]


def headline_cells(effects: pd.DataFrame) -> pd.DataFrame:
    """One row per arm and headline column: `text` such as `▼ +31 %`, and its verdict for colouring."""
    rows = headline_rows(effects)
    cells = [
        {
            **{name: row[name] for name in ("arm", "environment", "column", "verdict", "inert")},
            "text": cell_text(row["effect"], row["effect_kind"], row["unit"], row["verdict"]),
        }
        for row in rows.to_dict("records")
    ]
    return pd.DataFrame(cells, columns=CELL_COLUMNS)


def headline_rows(effects: pd.DataFrame) -> pd.DataFrame:
    """The effects that stand in headlines, the control left out, each with the name of its `column`.

    Of a metric and mode in several contexts the first in the study's order stands for all: the tables
    have the others.
    """
    shown = effects[effects["headline"].astype(bool) & (effects["factor"] != CONTROL_FACTOR)]
    question = ["environment", "metric", "mode"]
    context = ["workload", "source", "device", "split"]
    keys = shown[question + context].fillna("")
    first = keys.groupby(question, sort=False)[context].transform("first")
    shown = shown[(keys[context] == first).all(axis=1)]
    return shown.assign(column=column_names(shown))


def headline(effects: pd.DataFrame) -> pd.DataFrame:
    """The same as a table: one row per arm, one column per headline metric and context."""
    cells = headline_cells(effects)
    if cells.empty:
        return pd.DataFrame(index=pd.Index([], name="arm"))
    columns, arms = cells["column"].unique(), cells["arm"].unique()
    return cells.pivot(index="arm", columns="column", values="text").reindex(arms)[columns].fillna("—")


def noise_line(effects: pd.DataFrame) -> str:
    """The noise floor of each headline metric in words: `time per step ±0.9 %, test accuracy ±0.4 points`.

    Empty where no headline metric varies. Workload and environment join where there are several.
    """
    rows = headline_rows(effects)
    rows = rows[rows["noise_floor"].notna()].drop_duplicates(["environment", "workload", "label"])
    several = rows["environment"].nunique() > 1
    said = []
    for row in rows.to_dict("records"):
        where = f" [{row['workload']}]" if (rows["label"] == row["label"]).sum() > 1 + several else ""
        where += f" on {row['environment']}" if several else ""
        floor = text.either_way(row["noise_floor"], row["effect_kind"], row["unit"])
        said.append(f"{row['label']}{where} {floor}")
    return ", ".join(said)


def cell_text(effect: float, kind: str, unit: str, verdict: str) -> str:
    """`▲ −28 %`: the sign of the verdict, then the change."""
    return f"{text.MARKS[verdict]} {text.change(effect, kind, unit)}"


def column_names(effects: pd.DataFrame) -> "pd.Series[str]":
    """For each row the name of its column: label and mode, and as much context as tells it from others.

    `peak memory, train, simulated cuda`: split, workload and environment join only where one label and
    mode occurs with several of them; source and device there too, and for what was simulated.
    """
    # A metric of a split (test accuracy) is of training by nature: its mode would only be noise.
    mode = effects["mode"].where(effects["split"].isna(), None).fillna("")
    parts = pd.DataFrame({"label": effects["label"], "mode": mode})
    origin = effects["source"].fillna("") + " " + effects["device"].fillna("").astype(str)
    extras = {
        "origin": origin.str.strip(),
        "split": effects["split"].fillna(""),
        "workload": effects["workload"],
        "environment": "on " + effects["environment"],
    }
    for name, extra in extras.items():
        varies = extra.groupby([effects["label"], mode]).transform("nunique") > 1
        # What was simulated says so, always: nobody should take it for a measurement.
        told = varies | (effects["source"] == "simulated") if name == "origin" else varies
        parts[name] = extra.where(told, "")
    lines = parts.itertuples(index=False, name=None)
    names = [", ".join(part for part in line if part) for line in lines]
    return pd.Series(names, index=effects.index, dtype=str)

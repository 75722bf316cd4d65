"""Changes on two axes to choose: what one question's gain costs on another."""

from collections.abc import Sequence

from results.report.changes import arms_of, bar_of
from results.report.effect_tables import headline_entry
from results.report.in_short import main_columns
from results.report.section import Axis, Entry, Plane, Point
from results.tables import format as text
from results.tables.headline import HeadlineColumn
from results.tables.scale import Scale


def plane(columns: Sequence[HeadlineColumn], arms: Sequence[str]) -> Plane | None:
    """Every headline metric as an axis, at first time and accuracy; None of fewer than two.

    Args:
        columns: The headline.
        arms: Those to show.
    """
    if len(columns) < 2:
        return None
    scales = [Scale.of(column.rows) for column in columns]
    axes = [
        Axis(
            column.title,
            column.context,
            str(column.rows.iloc[0]["better"]),
            scale.none,
            scale.band,
            scale.ticks(),
        )
        for column, scale in zip(columns, scales, strict=True)
    ]
    points = [
        Point(arm, [_spot(column, scale, arm) for column, scale in zip(columns, scales, strict=True)])
        for arm in arms_of(columns)
        if arm in set(arms)
    ]
    x, y = _first_axes(columns)
    return Plane(axes, points, x, y)


def _first_axes(columns: Sequence[HeadlineColumn]) -> tuple[int, int]:
    """Time against accuracy where both are there, else the first two kinds, else the first two columns."""
    main = {str(column.rows.iloc[0]["kind"]): column for column in main_columns(columns)}
    wanted = [main[kind] for kind in ("throughput", "memory") if kind in main]
    quality = [column for kind, column in main.items() if kind == "convergence"]
    chosen = [*wanted[:1], *quality, *wanted[1:], *columns]
    places = list(dict.fromkeys(next(i for i, c in enumerate(columns) if c is one) for one in chosen))
    return places[0], places[1]


def _spot(column: HeadlineColumn, scale: Scale, arm: str) -> Entry | None:
    found = column.rows[column.rows["arm"] == arm].to_dict("records")
    if not found or text.missing(found[0]["effect"]):
        return None
    entry = headline_entry(found[0])
    return Entry(entry.text, entry.verdict, entry.detail, bar=bar_of(found[0], scale))

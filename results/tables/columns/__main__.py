"""Print docs/frames.md: a table of columns for each frame."""

from collections.abc import Iterator

from results.tables.columns import FRAMES, Frame

_HEAD = """\
# The frames of a run

What `results.load` gives, column by column. `results.columns("effects")` tells the same in Python; this
page is made by `python -m results.tables.columns > docs/frames.md`. [pandas.md](pandas.md) has recipes.

Frames of what was recorded, value by value, are attributes (`run.measurements`); frames that are computed
from it are methods (`run.effects()`). A frame has the same columns and dtypes whether or not it has rows.
Missing is NaN, and `pd.NA` in columns of `Int64`; `str` is `object` before pandas 3. "As `unit` says" means
the unit in the column `unit` of the same row. An effect is a ratio or a difference, as `effect_kind` says.
"""


def lines() -> Iterator[str]:
    """The page, line by line."""
    yield _HEAD
    for frame in FRAMES.values():
        yield from _of(frame)


def _of(frame: Frame) -> Iterator[str]:
    name = frame.name if frame.recorded else f"{frame.name}()"
    yield f"## `run.{name}`\n\nA row is {frame.row}.\n"
    yield "| column | dtype | unit | meaning |\n| --- | --- | --- | --- |"
    for column in frame.columns:
        yield f"| `{column.name}` | {column.dtype} | {column.unit} | {column.meaning} |"
    yield ""


if __name__ == "__main__":
    print("\n".join(lines()).rstrip())

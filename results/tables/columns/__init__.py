"""The columns of every frame that a run gives: dtype, unit and meaning, in one place.

`shaped` gives a frame the dtypes that stand here, `columns` tells them, and
`python -m results.tables.columns` prints them as docs/frames.md holds them.
"""

from difflib import get_close_matches

import pandas as pd

from results.tables.columns.judged import JUDGED
from results.tables.columns.kinds import TEXT, Column, Frame
from results.tables.columns.recorded import RECORDED
from results.tables.columns.tabled import TABLED

__all__ = ["FRAMES", "Column", "Frame", "columns", "frame", "shaped"]

FRAMES = {frame.name: frame for frame in (*RECORDED, *JUDGED, *TABLED)}
"""Every frame of `Run`, by name."""


def frame(name: str) -> Frame:
    """The description of a frame.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in FRAMES:
        near = get_close_matches(name, FRAMES, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no frame {name!r}; expected one of {', '.join(FRAMES)}{meant}")
    return FRAMES[name]


def columns(name: str | None = None) -> pd.DataFrame:
    """What the columns of a frame hold: a row each, with `frame`, `column`, `dtype`, `unit` and `meaning`.

    Args:
        name: Of a frame, as `Run` has it: `effects`, `measurements`; None for all of them.

    Raises:
        ValueError: There is no frame of that name.
    """
    told = FRAMES.values() if name is None else (frame(name),)
    rows = [
        (one.name, column.name, column.dtype, column.unit, column.meaning)
        for one in told
        for column in one.columns
    ]
    return pd.DataFrame(rows, columns=["frame", "column", "dtype", "unit", "meaning"])


def shaped(name: str, found: pd.DataFrame) -> pd.DataFrame:
    """A frame with the dtypes that are promised, whether or not it has rows; it shares what need not change.

    Args:
        name: Which frame it is.
        found: The frame.
    """
    described = frame(name)
    wanted = {
        column: TEXT if known.dtype == "str" else known.dtype
        for column in found
        if (known := described.column(str(column))) is not None
    }
    return found.astype(wanted)

"""The A/A gate: what the baseline's duplicate says of the cell that it stands in.

The duplicate computes what the baseline computes, so whatever it shows is noise, or a fault of the
measurement. Where its own 95 % interval leaves out "no effect", the rows of its cell say so: of twenty quiet
cells one reads like that. Where its interval that holds for all A/A rows of the family at once leaves it out,
chance no longer explains it, and nothing in the cell can be believed, however wide the margin.
"""

from dataclasses import dataclass

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.verdicts.cells import places
from results.verdicts.statistics import ALPHA, MINIMUM_BLOCKS

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Controls:
    """What the duplicates of a run show, by cell; see `Cell.place`.

    Attributes:
        differing: Cells whose duplicate's own 95 % interval leaves out "no effect"; exact ones are not among
            them.
        failed: Cells whose duplicate differs by more than the family of all A/A rows explains, differs at all
            where one trial decides, or is invalid itself.
    """

    differing: frozenset[Place]
    failed: frozenset[Place]

    @classmethod
    def of(cls, effects: pd.DataFrame) -> "Controls":
        """From the A/A rows among effects; columns as `rows.COLUMNS`."""
        rows = effects[effects["factor"] == CONTROL_FACTOR]
        enough = (rows["n"] >= MINIMUM_BLOCKS).fillna(False).astype(bool)
        # Two blocks that say the same know nothing of the spread; six that do, do.
        spread = enough | (rows["sd"] > 0)
        tested = rows["cause"] != "tests_disagree"
        alone = _leaves_out_none(rows, "ci_low_unadjusted", "ci_high_unadjusted")
        family = _leaves_out_none(rows, "ci_low", "ci_high")
        # Where a test other than the interval's own decides, it has the last word here, too.
        differing = alone & ~(rows["p_value"] >= ALPHA) & ~rows["exact"] & spread & tested
        failed = family & (rows["exact"] | enough) & tested
        failed |= rows["verdict"].isin(["better", "worse", "invalid"])
        return cls(frozenset(places(rows[differing])), frozenset(places(rows[failed])))

    def applied(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Effects or interactions with `control_differs`; what cannot be believed is invalid.

        What else was wrong with a row stays said.
        """
        here = places(rows)
        rows = rows.assign(control_differs=[place in self.differing for place in here])
        hit = pd.Series([place in self.failed for place in here], index=rows.index, dtype=bool)
        rows.loc[hit & (rows["fault"] == ""), "fault"] = "control"
        rows.loc[hit, "verdict"] = "invalid"
        rows.loc[hit, "cause"] = ""
        rows.loc[hit, ["n_needed", "n_needed_low", "n_needed_high"]] = pd.NA
        rows.loc[hit, ["detectable", "beyond_margin"]] = False
        return rows.astype({"control_differs": bool})


def _leaves_out_none(rows: pd.DataFrame, low: str, high: str) -> "pd.Series[bool]":
    """Whether an interval lies to one side of "no effect": 1 for ratios, 0 for differences."""
    none = (rows["effect_kind"] == "ratio").astype(float)
    return (rows[low] > none) | (rows[high] < none)

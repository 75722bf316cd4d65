"""What n counts where a study was timed on several occasions.

Blocks of one occasion share what the machine was like that day, so that on many occasions they are no
independent draws of what the machine does: from six occasions on the occasion is what n counts.
"""

from collections.abc import Mapping

import pandas as pd

from results.verdicts.statistics import MINIMUM_BLOCKS

OCCASION = "occasion"
"""What n counts where the occasion is the unit."""


def are_units(occasions: Mapping[str, int]) -> bool:
    """Whether there are enough occasions for them to be what n counts.

    Args:
        occasions: On which occasion each block ran.
    """
    return len(set(occasions.values())) >= MINIMUM_BLOCKS


def clustered(numbers: pd.Series, occasions: Mapping[str, int]) -> pd.Series:
    """One number per occasion, the mean over its blocks, where occasions are what n counts; else unchanged.

    Args:
        numbers: By block, on the scale of the analysis.
        occasions: On which occasion each block ran.
    """
    if not are_units(occasions):
        return numbers
    return numbers.groupby(numbers.index.map(occasions)).mean()

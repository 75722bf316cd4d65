"""Networks small enough to run in a test, of whatever family is registered."""

from ablations import Level
from ablations.registry import Architecture


def small(found: Architecture) -> dict[str, Level]:
    """A context for the other factors: the least depth and width that the family lists, where it has them."""
    return {
        factor.name: min(level for level in factor.levels if isinstance(level, int))
        for factor in found.factors
        if factor.name in ("depth", "width")
    }

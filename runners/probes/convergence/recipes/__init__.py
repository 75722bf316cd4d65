"""Recipes, one TOML file each: keys of a convergence workload that belong together.

A workload names one (`recipe = "fashion"`) and may change any of its keys.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from ablations.factor import nearest
from runners.errors import written

_FOLDER = Path(__file__).parent


@cache
def names() -> tuple[str, ...]:
    """Every recipe."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def get(name: str) -> dict[str, Any]:
    """The keys of a recipe.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in names():
        raise ValueError(f"no recipe {written(name)}{nearest(name, names())}")
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text())

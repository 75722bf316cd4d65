"""Recipes: keys of a convergence workload that belong together, one TOML file each or a plugin's `RECIPE`.

A workload names one (`recipe = "small"`) and may change any of its keys.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ablations.factor import nearest
from runners.errors import written
from runners.registry import Registry

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe of one's own.

    Attributes:
        name: As workloads write it; none of the built-in ones.
        keys: Of a convergence workload, with their values.
    """

    name: str
    keys: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.name in _built_in():
            raise ValueError(f"recipe {self.name!r} is there already; rename it")


REGISTRY = Registry(__name__, "RECIPE", "recipe", Recipe, lambda recipe: recipe.name)


def names() -> tuple[str, ...]:
    """Every recipe."""
    return tuple(sorted((*_built_in(), *REGISTRY.all())))


def get(name: str) -> dict[str, Any]:
    """The keys of a recipe.

    Raises:
        ValueError: There is none of that name.
    """
    brought = REGISTRY.all()
    if name in brought:
        return dict(brought[name].keys)
    if name not in _built_in():
        raise ValueError(f"no recipe {written(name)}{nearest(name, names())}")
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text())


@cache
def _built_in() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))

"""What is compared: architectures, their factors and levels, and the variants they span.

Only what builds a network imports PyTorch, so that factors and specifications can be read without it.
"""

from typing import TYPE_CHECKING, Any

from ablations.factor import BEHAVIOURAL, EQUIVALENT, RESOURCE_ONLY, Examples, Factor, Kind, Level, Range
from ablations.registry import Architecture, architecture, get, load_plugin, variant
from ablations.variant import Variant

if TYPE_CHECKING:
    from ablations.building import build

__all__ = [
    "BEHAVIOURAL",
    "EQUIVALENT",
    "RESOURCE_ONLY",
    "Architecture",
    "Examples",
    "Factor",
    "Kind",
    "Level",
    "Range",
    "Variant",
    "architecture",
    "build",
    "get",
    "load_plugin",
    "variant",
]


def __getattr__(name: str) -> Any:
    if name == "build":
        from ablations.building import build

        return build
    raise AttributeError(f"module 'ablations' has no attribute {name!r}")

"""What is compared: architectures, their factors and levels, and the variants they span."""

from ablations.building import build
from ablations.factor import BEHAVIOURAL, EQUIVALENT, RESOURCE_ONLY, Examples, Factor, Kind, Level, Range
from ablations.registry import Architecture, architecture, get, load_plugin, variant
from ablations.variant import Variant

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

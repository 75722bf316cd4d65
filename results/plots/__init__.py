"""Figures: each a function from a frame to a matplotlib Figure; nothing global is touched.

`drawn` gives a figure as SVG (text stays text) and PNG, byte for byte the same for the same records.
"""

from results.plots.batch_sweep import batch_sweep
from results.plots.building_blocks import building_blocks
from results.plots.convergence_curves import convergence_curves
from results.plots.cost import cost
from results.plots.forest import forest
from results.plots.gradients import gradients
from results.plots.image_seconds import image_seconds
from results.plots.inside import inside
from results.plots.interaction_map import interaction_map
from results.plots.memory_bars import memory_bars
from results.plots.memory_categories import memory_categories
from results.plots.memory_saved import memory_saved
from results.plots.memory_timeline import memory_timeline
from results.plots.noise_floor import noise_floor
from results.plots.seeds import seeds
from results.plots.theme import drawn
from results.plots.time_to_target import time_to_target
from results.plots.tradeoff import tradeoff
from results.plots.two_by_two import two_by_two

__all__ = [
    "batch_sweep",
    "building_blocks",
    "convergence_curves",
    "cost",
    "drawn",
    "forest",
    "gradients",
    "image_seconds",
    "inside",
    "interaction_map",
    "memory_bars",
    "memory_categories",
    "memory_saved",
    "memory_timeline",
    "noise_floor",
    "seeds",
    "time_to_target",
    "tradeoff",
    "two_by_two",
]

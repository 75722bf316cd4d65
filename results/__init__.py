"""What was found: records, tidy frames, effects with intervals and verdicts, figures, reports.

Never imports torch, `ablations` or `runners`: a run directory is analysed wherever pandas runs. Whoever
only writes records does not pay for pandas either: what is public here is imported when asked for.

    import results
    run = results.load("runs/quick")
    run.measurements, run.effects(), run.variants()
    results.columns("effects")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results import plots
    from results.run import Run, load
    from results.tables.columns import columns

__all__ = ["Run", "columns", "load", "plots"]

_HOMES = {"Run": "results.run", "load": "results.run", "columns": "results.tables.columns"}


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("results.plots")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'results' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

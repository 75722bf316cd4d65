"""What was found: records, tidy frames, effects with intervals and verdicts, figures, reports.

Never imports torch, `ablations` or `runners`: a run directory is analysed wherever pandas runs. Whoever
only writes records does not pay for pandas either: `load`, `Run` and `plots` are imported when asked for.

    import results
    run = results.load("runs/quick")
    run.measurements, run.effects(), run.variants()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results import plots
    from results.run import Run, load

__all__ = ["Run", "load", "plots"]


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("results.plots")
    if name in {"Run", "load"}:
        return getattr(import_module("results.run"), name)
    raise AttributeError(f"module 'results' has no attribute {name!r}")

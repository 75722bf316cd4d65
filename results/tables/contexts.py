"""In which context a figure holds, in few words: no two contexts ever share a sentence or a column."""

from collections.abc import Mapping
from typing import Any

from results.records.resolved_study import ResolvedStudy, Workload


def described(study: ResolvedStudy, workload: Workload) -> str:
    """`resnet depth 50, 224 px, batch 32, fp32`; what is not as usual and the data set join at the end."""
    levels = " ".join(f"{name} {level}" for name, level in sorted(workload.levels.items()))
    parts = [
        f"{study.architecture} {levels}".strip(),
        f"{workload.input_size} px",
        *([f"batch {workload.batch_size}"] if workload.batch_size else []),
        workload.precision,
        *([workload.dataset] if workload.dataset else []),
        *([workload.conditions] if workload.conditions else []),
    ]
    return ", ".join(parts)


def origin(row: Mapping[Any, Any]) -> str:
    """Where a figure comes from: `simulated cuda`, `measured cpu`; "" where that goes without saying."""
    source, device = (str(row[name] or "") for name in ("source", "device"))
    return f"{source} {device}".strip() if source in {"simulated", "measured"} else ""

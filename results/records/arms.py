"""How arms are named in tables."""

from results.records.resolved_study import CONTROL_FACTOR, CONTROL_LEVEL, Arm, ResolvedStudy


def baseline_of(study: ResolvedStudy) -> str:
    """Name of the baseline arm."""
    return next(arm.name for arm in study.arms if arm.role == "baseline")


def labels(study: ResolvedStudy, arm: Arm) -> dict[str, str]:
    """`factor`, `level` and `baseline_level` of an arm; several changes are joined by `+`, sorted."""
    if arm.role == "control":
        return {"factor": CONTROL_FACTOR, "level": CONTROL_LEVEL, "baseline_level": ""}
    first = {factor.name: factor.levels[0] for factor in study.factors}
    names = sorted(arm.changes)
    return {
        "factor": "+".join(names),
        "level": "+".join(arm.changes[name] for name in names),
        "baseline_level": "+".join(first.get(name, "") for name in names),
    }

"""What there is, as plain rows: for `ablate list`. Only architectures and their factors need PyTorch."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ablations.factor import Factor, format_level, nearest
from runners.errors import BadInput, written

if TYPE_CHECKING:
    from ablations import Architecture

Rows = list[dict[str, Any]]


def rows(what: str, of: str | None = None) -> Rows:
    """One row per thing of that kind.

    Args:
        what: The kind.
        of: Of factors, the architecture whose own ones are asked for.

    Raises:
        BadInput: There is nothing of that name to list.
    """
    if what not in LISTINGS:
        raise BadInput(f"nothing to list by the name {written(what)}{nearest(what, LISTINGS)}")
    if of is not None:
        if what != "factors":
            raise BadInput(f"list {what} takes no name, found {written(of)}; list factors does")
        return _factors_of(of)
    return LISTINGS[what]()


def _known() -> "dict[str, Architecture]":
    from ablations import registry, zoo

    return registry.architectures() | {f"{library}.MODEL": found for library, found in zoo.families().items()}


def _architectures() -> Rows:
    return [
        {"name": name, "summary": found.summary, "factors": [factor.name for factor in found.factors]}
        for name, found in _known().items()
    ]


def _factors() -> Rows:
    from ablations import execution

    own = [
        (name, factor)
        for name, found in _known().items()
        for factor in found.factors
        if factor.name not in execution.NAMES
    ]
    return _factor_rows([*own, *(("any", factor) for factor in execution.FACTORS)])


def _factors_of(architecture: str) -> Rows:
    from ablations import registry

    try:
        return _factor_rows([(architecture, factor) for factor in registry.get(architecture).factors])
    except ValueError as error:
        raise BadInput(str(error)) from error


def _factor_rows(known: list[tuple[str, Factor]]) -> Rows:
    return [
        {
            "architecture": name,
            "factor": factor.name,
            "kind": factor.kind.value,
            "baseline": format_level(factor.baseline),
            "levels": factor.expected,
            "help": factor.help,
        }
        for name, factor in known
    ]


def _datasets() -> Rows:
    from runners import datasets

    return [
        {
            "name": name,
            "summary": dataset.summary,
            "image_shape": dataset.image_shape,
            "in_channels": dataset.in_channels,
            "num_classes": dataset.num_classes,
            "development_size": dataset.development_size,
            "test_size": dataset.test_size,
            "license": dataset.license,
            "source": dataset.source,
            "available": dataset.unavailable() or "yes",
        }
        for name, dataset in datasets.datasets().items()
    ]


def _recipes() -> Rows:
    from runners.probes.convergence import recipes

    return [
        {"name": name, "keys": ", ".join(f"{key} = {value}" for key, value in recipes.get(name).items())}
        for name in recipes.names()
    ]


def _metrics() -> Rows:
    from runners import probes

    return [
        {
            "workload": kind,
            "name": metric.name,
            "unit": metric.unit,
            "better": metric.better,
            "effect": metric.effect_kind,
            "margin": metric.margin,
            "description": metric.description,
        }
        for kind, probe in probes.probes().items()
        for metric in probe.metrics
    ]


def _studies() -> Rows:
    """From their files alone, which are read and not checked."""
    from runners import study_file

    read = (
        (name, study_file.parse(study_file.read(path), name)) for name, path in study_file.studies().items()
    )
    return [
        {
            "name": name,
            "question": file.question,
            "factors": list(file.factors),
            "workloads": [str(table.get("name", table.get("kind"))) for table in file.workloads],
        }
        for name, (file, _) in read
    ]


def _workloads() -> Rows:
    """The keys of a `[[workloads]]` table, by kind."""
    from runners import probes

    return [
        {
            "kind": kind,
            "key": key,
            "default": "" if field.is_required() else str(field.get_default()),
            "description": field.description or "",
        }
        for kind, probe in probes.probes().items()
        for key, field in probe.settings.model_fields.items()
    ]


def _claims() -> Rows:
    from runners import claims

    found: Rows = []
    for name, source in claims.sources().items():
        for claim in source.claims:
            decided_by = f"{claim.kind}: {claim.metric}, {'='.join(claim.change)}"
            found.append(_claim(name, claim.name, claim.statement, decided_by, claims.reported(claim)))
        for check in source.checks:
            found.append(_claim(name, check.name, check.statement, "a check of the operator", ""))
    return found


def _claim(source: str, name: str, statement: str, decided_by: str, reported: str) -> dict[str, Any]:
    return {
        "source": source,
        "claim": name,
        "statement": statement,
        "decided_by": decided_by,
        "reported": reported,
    }


def _launchers() -> Rows:
    from runners import launchers

    return [{"name": name, "summary": found.summary} for name, found in launchers.launchers().items()]


def _sections() -> Rows:
    from results.report.topics import topics

    return [{"name": topic.name, "title": topic.title, "summary": topic.summary} for topic in topics()]


LISTINGS: dict[str, Callable[[], Rows]] = {
    "architectures": _architectures,
    "factors": _factors,
    "datasets": _datasets,
    "recipes": _recipes,
    "metrics": _metrics,
    "studies": _studies,
    "workloads": _workloads,
    "claims": _claims,
    "launchers": _launchers,
    "sections": _sections,
}

"""What there is, as plain rows: for `ablate list` and `ablate show`."""

from typing import Any

import ablations
from ablations import registry
from ablations.factor import format_level, nearest
from runners import datasets, probes, study
from runners.errors import BadInput
from runners.operator_counts import complexity
from runners.outcomes import in_channels


def rows(what: str) -> list[dict[str, Any]]:
    """One row per architecture, factor, data set, metric, study or key of a workload.

    Raises:
        BadInput: There is nothing of that name to list.
    """
    listings = {
        "architectures": _architectures,
        "factors": _factors,
        "datasets": _datasets,
        "metrics": _metrics,
        "studies": _studies,
        "workloads": _workloads,
    }
    if what not in listings:
        raise BadInput(f"nothing to list by the name {what!r}{nearest(what, listings)}")
    return listings[what]()


def show(specification: str, image_size: int) -> dict[str, Any]:
    """A variant's levels and what it costs.

    Raises:
        BadInput: The specification is wrong, or the network cannot hold an image of that size.
    """
    try:
        variant = ablations.variant(specification)
        found = complexity(ablations.build(variant, device="meta"), image_size, in_channels(variant))
    except ValueError as error:
        raise BadInput(str(error)) from error
    return {
        "variant": variant.specification,
        "levels": {name: format_level(level) for name, level in variant.levels},
        "image_size": image_size,
        "parameters": found.parameters,
        "macs": found.macs,
        "macs_with_norm": found.macs_with_norm,
        "activations": found.activations,
        "output_shape": list(found.output_shape),
    }


def _architectures() -> list[dict[str, Any]]:
    return [
        {"name": name, "summary": found.summary, "factors": [factor.name for factor in found.factors]}
        for name, found in registry.architectures().items()
    ]


def _factors() -> list[dict[str, Any]]:
    return [
        {
            "architecture": name,
            "factor": factor.name,
            "kind": factor.kind.value,
            "baseline": format_level(factor.baseline),
            "levels": factor.expected,
            "help": factor.help,
        }
        for name, found in registry.architectures().items()
        for factor in found.factors
    ]


def _datasets() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "summary": dataset.summary,
            "in_channels": dataset.in_channels,
            "num_classes": dataset.num_classes,
            "available": dataset.unavailable() or "yes",
        }
        for name, dataset in datasets.datasets().items()
    ]


def _metrics() -> list[dict[str, Any]]:
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


def _studies() -> list[dict[str, Any]]:
    found = [study.load(name) for name in study.builtin()]
    return [
        {
            "name": one.name,
            "question": one.file.question,
            "factors": list(one.file.factors),
            "workloads": [workload.name for workload in one.workloads],
        }
        for one in found
    ]


def _workloads() -> list[dict[str, Any]]:
    """The keys of a `[[workloads]]` table, by kind."""
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

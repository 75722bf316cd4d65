"""From the `[[workloads]]` tables of a study file to workloads, checked by the probe that each names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ablations import Architecture
from runners import datasets, probes, study_checks
from runners.errors import BadInput, written
from runners.probes import WorkloadSettings
from runners.study_mistakes import explain

Changes = Callable[[type[WorkloadSettings]], dict[str, Any]]
"""What the command line changes in a workload with such keys."""


def workloads_of(
    tables: Sequence[dict[str, Any]],
    architecture: Architecture | None,
    factors: Mapping[str, tuple[str, ...]],
    changes: Changes,
    where: str,
    mistakes: list[str],
) -> tuple[WorkloadSettings, ...]:
    """The workloads that are readable; mistakes are added, a line each.

    Args:
        tables: As the study file has them.
        architecture: Whose levels they fix; None where there is no such architecture.
        factors: The levels that the study compares, by factor.
        changes: What the command line changes.
        where: The study, for messages.
        mistakes: Added to.
    """
    found: list[WorkloadSettings] = []
    names: list[str] = []
    for index, table in enumerate(tables, start=1):
        place = f"{where}, workload {index}"
        try:
            workload = _workload(table, architecture, changes, place, mistakes)
            names += [workload.name, *(companion.name for _, companion in workload.companions)]
        except ValidationError as error:
            mistakes += explain(error, probes.get(table["kind"]).settings, place)
            continue
        except BadInput as error:
            mistakes += [f"{place}: {line}" for line in error.lines]
            continue
        if architecture is not None:
            mistakes += study_checks.conflicts(architecture, factors, workload, place)
        found.append(workload)
    for name in sorted({name for name in names if names.count(name) > 1}):
        mistakes.append(f"{where}: two workloads are named {name!r}; give each a name of its own")
    return tuple(found)


def _workload(
    table: dict[str, Any],
    architecture: Architecture | None,
    changes: Changes,
    where: str,
    mistakes: list[str],
) -> WorkloadSettings:
    """One table, its levels in their one form.

    Raises:
        BadInput: It has no kind, or its data set is none or not here.
        ValidationError: Its keys are wrong.
    """
    kind = table.get("kind")
    if not isinstance(kind, str):
        wrong = "key 'kind' is missing" if kind is None else f"kind = {written(kind)} is not known"
        raise BadInput(f"{wrong}; one of: {', '.join(sorted(probes.probes()))}")
    settings = probes.get(kind).settings
    levels = table.get("levels", {})
    if isinstance(levels, dict):
        levels = _levels(levels, architecture, where, mistakes)
    named = {"name": kind} if table.get("name", "") == "" else {}
    workload = settings.model_validate(table | named | {"levels": levels} | changes(settings), strict=True)
    dataset = getattr(workload, "dataset", None)
    if dataset is not None and (reason := datasets.get(dataset).unavailable()) is not None:
        raise BadInput(reason)
    return workload


def _levels(
    table: dict[str, Any], architecture: Architecture | None, where: str, mistakes: list[str]
) -> dict[str, str]:
    if architecture is None:
        return {}  # that there is none is said already, and of which it would be a level is not known
    return study_checks.context_levels(table, architecture, f"{where}: levels", mistakes)

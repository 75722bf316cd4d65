"""What a trial's id is a hash of: all that defines it, and the sources that it runs through."""

import hashlib
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from runners import probes, sources
from runners.trial import Trial


def identified(trial: Trial) -> Trial:
    """The trial with its id, and with those plugins only that its process needs.

    The number of blocks is no part of the id, so that a run with more seeds keeps those it has.
    """
    workload = trial.workload
    only_how_many = probes.get(workload.kind).settings.ONLY_HOW_MANY
    architecture = trial.arms[0].complete_variant.partition(":")[0]
    plugins, digest = _sources(workload.kind, architecture, workload.dataset, trial.plugins)
    definition = {
        "kind": workload.kind,
        "settings": {key: value for key, value in workload.settings.items() if key not in only_how_many},
        "arms": [(arm.name, arm.complete_variant) for arm in trial.arms],
        "baseline": workload.variants["baseline"],
        "block": trial.block,
        "seed": trial.seed,
        "device": trial.device,
        "threads": trial.threads,
        "sources": digest,
    }
    text = json.dumps(definition, sort_keys=True)
    return replace(trial, id=hashlib.sha256(text.encode()).hexdigest()[:16], plugins=plugins)


@cache
def _sources(
    kind: str, architecture: str, dataset: str | None, plugins: tuple[str, ...]
) -> tuple[tuple[str, ...], str]:
    needed = sources.used(kind, architecture, dataset)
    files = sources.plugin_files(map(Path, plugins), needed)
    found = sources.trial_sources(kind, architecture, dataset, files)
    return tuple(map(str, files)), sources.digest(found)

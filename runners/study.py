"""A study that was checked against everything it names, from its file and what the command line changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ablations
from ablations import Architecture
from ablations.factor import format_level
from runners import data_checks, datasets, design_checks, plugins, study_checks, study_file
from runners.errors import BadInput
from runners.paths import usable
from runners.probes import WorkloadSettings
from runners.study_workloads import workloads_of


@dataclass(frozen=True, slots=True)
class Study:
    """A question, ready to be planned.

    Attributes:
        name: The file's name, without its ending.
        question: What it asks.
        architecture: The network family.
        design: A name of `runners.study_file.Design`.
        seed: Root of every random choice.
        looks: How often verdicts may be looked at, blocks being added in between.
        factors: Levels compared, by factor, as specifications write them; the first is the baseline.
        margins: The smallest effect that counts, by metric, where the study declares its own.
        workloads: What the arms are put through, with every default filled in.
        plugins: Files and folders that a trial's process loads first.
        resolution: Of a fraction: 4 keeps main effects apart from interactions of two.
        pairs: Pairs of factors that are changed together, too.
        excluded: Combinations of levels that are not run, as levels by factor.
        claims: Sources whose claims are put to the test.
    """

    name: str
    question: str
    architecture: Architecture
    design: str
    seed: int
    looks: int
    factors: Mapping[str, tuple[str, ...]]
    margins: Mapping[str, float]
    workloads: tuple[WorkloadSettings, ...]
    plugins: tuple[str, ...]
    resolution: int = 4
    pairs: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[Mapping[str, str], ...] = ()
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line changes in a study.

    Attributes:
        dataset: Trains on this data set instead.
        replicates: So many seeds and timed processes.
        plugins: Loaded beside those that the study names.
        pairs: Only these factors, each pair of them as a 2x2 of its own, with fresh seeds: another study.
    """

    dataset: str | None = None
    replicates: int | None = None
    plugins: tuple[Path, ...] = ()
    pairs: tuple[tuple[str, ...], ...] = ()

    def for_(self, settings: type[WorkloadSettings]) -> dict[str, Any]:
        """The keys that these settings have and the command line gives."""
        given = {"dataset": self.dataset, "seeds": self.replicates, "processes": self.replicates}
        return {
            key: value for key, value in given.items() if key in settings.model_fields and value is not None
        }


def load(study: str, overrides: Overrides | None = None) -> Study:
    """Read a named study or a TOML file.

    Args:
        study: A name of `ablate list studies`, or a path that ends in `.toml`.
        overrides: What the command line changes.

    Raises:
        BadInput: All mistakes of the file at once, a line each.
    """
    overrides = overrides or Overrides()
    plugins.load(overrides.plugins)
    if overrides.dataset is not None:
        overrides = replace(overrides, dataset=datasets.located(overrides.dataset, Path.cwd()))
        datasets.get(str(overrides.dataset))
    path = study_file.find(study)
    where = f"study {path.stem}"
    file, mistakes = study_file.parse(study_file.read(path), path.stem)
    named = [path.parent / plugin for plugin in file.plugins]
    _load_plugins(named, where, mistakes)
    architecture = _architecture(file.architecture, where, mistakes)
    factors = (
        study_checks.factor_levels(file.factors, architecture, f"{where}, factors", mistakes)
        if architecture is not None
        else {}
    )
    design = design_checks.checked(file, factors, architecture, where, mistakes)
    tables = file.workloads
    if overrides.dataset is None:
        tables = tuple(_located(table, path.parent, where, mistakes) for table in tables)
    workloads = workloads_of(tables, architecture, factors, overrides.for_, where, mistakes)
    mistakes += data_checks.mistakes(workloads, where)
    claims = study_checks.sources_of_claims(file.claims, where, mistakes)
    margins = study_checks.margins(file.margins, f"{where}: margins", mistakes)
    if mistakes:
        raise BadInput(list(dict.fromkeys(mistakes)))
    assert architecture is not None
    found = Study(
        name=path.stem,
        question=file.question,
        architecture=architecture,
        design=file.design,
        seed=file.seed,
        looks=file.looks,
        factors=design.factors,
        margins=margins,
        workloads=workloads,
        plugins=tuple(str(plugin.resolve()) for plugin in (*overrides.plugins, *named)),
        resolution=file.resolution or 4,
        pairs=file.pairs,
        excluded=design.excluded,
        claims=claims,
    )
    return _follow_up(found, overrides.pairs) if overrides.pairs else found


def _follow_up(study: Study, pairs: tuple[tuple[str, ...], ...]) -> Study:
    """The 2x2s of some pairs, on seeds of their own: what flagged a pair does not judge it."""
    asked = {name for pair in pairs for name in pair}
    if strangers := sorted(asked - study.factors.keys()):
        raise BadInput(
            f"study {study.name}: --follow-up: flags {', '.join(strangers)}, which it does not compare;"
            " expected a run of the same study"
        )
    others = {
        name: levels[0]
        for name, levels in study.factors.items()
        if name not in asked and levels[0] != format_level(study.architecture.factor(name).baseline)
    }
    return replace(
        study,
        workloads=tuple(
            one.model_copy(update={"levels": others | dict(one.levels)}) for one in study.workloads
        ),
        name=f"{study.name}-follow-up",
        design="one-at-a-time",
        seed=study.seed + 1,
        factors={name: levels for name, levels in study.factors.items() if name in asked},
        pairs=pairs,
        excluded=tuple(one for one in study.excluded if one.keys() <= asked),
    )


def _located(table: dict[str, Any], base: Path, where: str, mistakes: list[str]) -> dict[str, Any]:
    """A workload's table, its folder of images named by what it holds; without it where that fails."""
    name = table.get("dataset")
    if not isinstance(name, str):
        return table
    try:
        return table | {"dataset": datasets.located(name, base)}
    except BadInput as error:
        mistakes += [f"{where}: {line}" for line in error.lines]
        return {key: value for key, value in table.items() if key != "dataset"}


def _load_plugins(paths: Sequence[Path], where: str, mistakes: list[str]) -> None:
    for path in paths:
        try:
            plugins.load([usable(path, "plugin")])
        except BadInput as error:
            mistakes += [f"{where}: {line}" for line in error.lines]


def _architecture(name: str, where: str, mistakes: list[str]) -> Architecture | None:
    if not name:
        return None  # said already
    try:
        return ablations.get(name)
    except ValueError as error:
        mistakes.append(f"{where}: {error}")
        return None

"""A study file: the question, its factors and levels, and the workloads they are put through.

Built-in studies are such files too (`ablations/studies/*.toml`), so that each is an example to copy.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

import ablations
from ablations import Architecture
from ablations.factor import nearest
from runners import datasets, probes
from runners.errors import BadInput
from runners.probes import WorkloadSettings, as_text
from runners.study_mistakes import explain

BUILTIN = Path(ablations.__file__).parent / "studies"


class StudyFile(BaseModel):
    """The keys of a study file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field("", description="what the study asks, in a sentence")
    architecture: str = Field(description='a registered network family, e.g. "resnet"')
    design: Literal["one-at-a-time", "full-factorial"] = Field(
        "one-at-a-time", description="one factor changed at a time, or every combination"
    )
    seed: int = Field(0, ge=0, description="root of every random choice")
    factors: dict[str, tuple[str, ...]] = Field(description="levels compared; the first is the baseline")
    margins: dict[str, float] = Field({}, description="smallest effect that counts, by metric")
    plugins: tuple[str, ...] = Field((), description="Python files with architectures of your own")
    workloads: tuple[dict[str, Any], ...] = Field(min_length=1, description="[[workloads]] tables")

    @field_validator("factors", mode="before")
    @classmethod
    def _levels_as_text(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            name: [as_text(level) for level in levels] if isinstance(levels, list) else levels
            for name, levels in value.items()
        }


@dataclass(frozen=True, slots=True)
class Study:
    """A study file that was checked against everything it names."""

    name: str
    file: StudyFile
    architecture: Architecture
    workloads: tuple[WorkloadSettings, ...]
    plugins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line changes in a study."""

    dataset: str | None = None
    replicates: int | None = None

    def for_(self, settings: type[WorkloadSettings]) -> dict[str, Any]:
        """The keys that these settings have and the command line gives."""
        given = {"dataset": self.dataset, "seeds": self.replicates, "processes": self.replicates}
        return {
            key: value for key, value in given.items() if key in settings.model_fields and value is not None
        }


def builtin() -> dict[str, Path]:
    """Every built-in study by name."""
    return {path.stem: path for path in sorted(BUILTIN.glob("*.toml"))}


def load(study: str, overrides: Overrides | None = None) -> Study:
    """Read a built-in study or a TOML file.

    Args:
        study: A built-in name, or a path that ends in `.toml`.
        overrides: What the command line changes.

    Raises:
        BadInput: All mistakes of the file at once, a line each.
    """
    overrides = overrides or Overrides()
    if overrides.dataset is not None:
        datasets.get(overrides.dataset)
    path = _path(study)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"study {study}: not a readable TOML file ({error})") from error
    try:
        file = StudyFile.model_validate(content)
        mistakes: list[str] = []
    except ValidationError as error:
        mistakes = explain(error, StudyFile, f"study {path.stem}")
        file = _salvage(content)
    plugins = _load_plugins(path, file, mistakes)
    architecture = _architecture(path.stem, file, mistakes)
    workloads = _workloads(path.stem, file, overrides, mistakes)
    _check_margins(path.stem, file, mistakes)
    if architecture is not None:
        _check_levels(path.stem, file, architecture, workloads, mistakes)
    if mistakes:
        raise BadInput(list(dict.fromkeys(mistakes)))
    assert architecture is not None
    return Study(path.stem, file, architecture, workloads, plugins)


def _path(study: str) -> Path:
    if study in builtin():
        return builtin()[study]
    path = Path(study)
    if path.suffix == ".toml":
        if not path.is_file():
            raise BadInput(f"no study file {study!r}: expected a TOML file or one of {', '.join(builtin())}")
        return path
    raise BadInput(f"no study {study!r}{nearest(study, builtin())} (or the path of a .toml file)")


def _salvage(content: dict[str, Any]) -> StudyFile:
    """What is readable of a file with mistakes, so that its other mistakes are found in the same go."""
    readable: dict[str, Any] = {"architecture": "", "factors": {}, "workloads": ()}
    for key, value in content.items():
        try:
            StudyFile.model_validate({"architecture": "", "factors": {}, "workloads": [{}]} | {key: value})
        except ValidationError:
            continue
        readable[key] = value
    return StudyFile.model_construct(**StudyFile.model_validate(readable | _at_least_one(readable)).__dict__)


def _at_least_one(readable: dict[str, Any]) -> dict[str, Any]:
    return {"workloads": readable["workloads"] or [{"kind": "memory"}]}


def _load_plugins(path: Path, file: StudyFile, mistakes: list[str]) -> tuple[str, ...]:
    paths = tuple(str((path.parent / plugin).resolve()) for plugin in file.plugins)
    for plugin in paths:
        try:
            ablations.load_plugin(Path(plugin))
        except ValueError as error:
            mistakes.append(f"study {path.stem}: {error}")
    return paths


def _architecture(study: str, file: StudyFile, mistakes: list[str]) -> Architecture | None:
    if not file.architecture:
        return None  # said already
    try:
        return ablations.get(file.architecture)
    except ValueError as error:
        mistakes.append(f"study {study}: {error}")
        return None


def _workloads(
    study: str, file: StudyFile, overrides: Overrides, mistakes: list[str]
) -> tuple[WorkloadSettings, ...]:
    found: list[WorkloadSettings] = []
    for index, table in enumerate(file.workloads, start=1):
        where = f"study {study}, workload {index}"
        kind = table.get("kind")
        if kind is None:
            mistakes.append(f"{where}: key 'kind' is missing; one of: {', '.join(probes.probes())}")
            continue
        try:
            settings = probes.get(str(kind)).settings
            workload = settings.model_validate({"name": str(kind)} | table | overrides.for_(settings))
            dataset = getattr(workload, "dataset", None)
            if dataset is not None and (reason := datasets.get(dataset).unavailable()) is not None:
                mistakes.append(f"{where}: {reason}")
            found.append(workload)
        except ValidationError as error:
            mistakes += explain(error, settings, where)
        except BadInput as error:
            mistakes += [f"{where}: {line}" for line in error.lines]
    names = [workload.name for workload in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        mistakes.append(f"study {study}: two workloads are named {name!r}; give each a name of its own")
    return tuple(found)


def _check_margins(study: str, file: StudyFile, mistakes: list[str]) -> None:
    for metric, margin in file.margins.items():
        if metric not in probes.metrics():
            mistakes.append(
                f"study {study}: margins: no metric {metric!r}{nearest(metric, probes.metrics())}"
            )
        elif margin < 0:
            mistakes.append(f"study {study}: margins: {metric} = {margin}; expected 0 or more, e.g. 0.05")


def _check_levels(
    study: str,
    file: StudyFile,
    architecture: Architecture,
    workloads: tuple[WorkloadSettings, ...],
    mistakes: list[str],
) -> None:
    places = [("factors", name, levels) for name, levels in file.factors.items()]
    for workload in workloads:
        where = f"workload {workload.name}: levels"
        places += [(where, name, (level,)) for name, level in workload.levels.items()]
        mistakes += [
            f"study {study}, {where}: {name!r} is compared in [factors] already; leave it out of one"
            for name in sorted(workload.levels.keys() & file.factors.keys())
        ]
    for where, name, levels in places:
        try:
            factor = architecture.factor(name)
        except ValueError as error:
            mistakes.append(f"study {study}, {where}: {error}")
            continue
        for level in levels:
            try:
                factor.parse(level)
            except ValueError as error:
                mistakes.append(f"study {study}, {where}: {error}")
        if len(set(levels)) < len(levels):
            mistakes.append(f"study {study}, {where}: factor {name!r} names a level twice; name each once")
        if where == "factors" and not levels:
            mistakes.append(
                f"study {study}, {where}: factor {name!r} has no levels; expected {factor.expected}"
            )

"""Study files as they are written: TOML tables, found by name, read and typed; needs no PyTorch.

Built-in studies are such files too (`ablations/studies/*.toml`), so that each is an example to copy.
"""

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import ablations
from ablations.factor import nearest
from results.records.resolved_study import MOST_LOOKS
from results.records.values import Text
from runners import plugins
from runners.errors import BadInput, written
from runners.paths import usable
from runners.study_mistakes import explain

BUILTIN = Path(ablations.__file__).parent / "studies"

Design = Literal["one-at-a-time", "leave-one-out", "both-at-once", "full-factorial", "fractional-factorial"]

LARGEST = 2**53
"""Whole numbers beyond it are not exact in every reader of JSON; no count of a study comes near."""


class StudyFile(BaseModel):
    """The keys of a study file.

    What holds for factors, margins and workloads depends on the architecture, the metrics and the probes:
    `runners.study` checks it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    question: Text = Field("", description="what the study asks, in a sentence")
    architecture: str = Field(min_length=1, description='a registered network family, e.g. "resnet"')
    design: Design = Field(
        "one-at-a-time",
        description="one factor changed at a time, one left out, both, all combinations, or a fraction",
    )
    resolution: int | None = Field(
        None,
        ge=3,
        le=5,
        description="of a fraction: 4 (the default) keeps main effects apart from interactions of two,"
        " 5 these, too",
    )
    pairs: tuple[tuple[str, ...], ...] = Field(
        (), description='pairs of factors also changed together, e.g. [["stem", "norm"]]'
    )
    exclude: tuple[dict[str, Any], ...] = Field(
        (), description='combinations that are not run, e.g. [{ norm = "none", fold_batchnorm = true }]'
    )
    seed: int = Field(0, ge=0, description="root of every random choice")
    looks: int = Field(
        1,
        ge=1,
        le=MOST_LOOKS,
        description="how often you will look, adding seeds or processes in between; each look has its share"
        " of the 5 % error",
    )
    claims: tuple[str, ...] = Field(
        (), description='sources whose claims are put to the test, e.g. ["timm"]; ["all"] for every one'
    )
    factors: dict[str, Any] = Field(min_length=1, description="levels compared; the first is the baseline")
    margins: dict[str, Any] = Field({}, description="smallest effect that counts, by metric")
    plugins: tuple[str, ...] = Field((), description="Python files with architectures of your own")
    workloads: tuple[dict[str, Any], ...] = Field(min_length=1, description="[[workloads]] tables")


def studies() -> dict[str, Path]:
    """Every study that has a name: the built-in ones, and those of plugins."""
    return {path.stem: path for path in sorted(BUILTIN.glob("*.toml"))} | plugins.studies()


def find(study: str) -> Path:
    """The file of a named study, or the TOML file of that path.

    Raises:
        BadInput: There is none.
    """
    known = studies()
    if study in known:
        return known[study]
    path = usable(Path(study), "study")
    if path.suffix != ".toml":
        raise BadInput(f"no study {written(study)}{nearest(study, known)} (or the path of a .toml file)")
    if not any(character.isalnum() for character in path.stem):  # a run's directory is named after it
        raise BadInput(f"study file {written(study)}: expected a name with letters or digits, e.g. mine.toml")
    if not path.is_file():
        raise BadInput(f"no study file {written(study)}: expected a TOML file or one of {', '.join(known)}")
    return path


def read(path: Path) -> dict[str, Any]:
    """The tables of a study file, lists as tuples.

    Raises:
        BadInput: It is not TOML, or holds numbers that no study means; all of these at once.
    """
    where = f"study {path.stem}"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise BadInput(f"{where}: not a readable TOML file (nested too deeply)") from None
    except (OSError, ValueError) as error:  # a number of thousands of digits is a ValueError
        reason = " ".join(str(error).split())
        raise BadInput(f"{where}: not a readable TOML file ({reason})") from error
    strange = [
        f"{where}: {place} = {written(number)}: {wanted}" for place, number, wanted in _strange(content)
    ]
    if strange:
        raise BadInput(strange)
    return {key: _as_tuples(value) for key, value in content.items()}


def parse(content: dict[str, Any], study: str) -> tuple[StudyFile, list[str]]:
    """What is readable of a file, and its mistakes: those further down are found in the same go.

    A key that must be there and is not, or is wrong, comes out empty.
    """
    try:
        return StudyFile.model_validate(content), []
    except ValidationError as error:
        mistakes = explain(error, StudyFile, f"study {study}")
        wrong = {detail["loc"][0] for detail in error.errors()}
    readable = {key: value for key, value in content.items() if key not in wrong}
    blank: dict[str, Any] = {"architecture": "", "factors": {}, "workloads": ()}
    return StudyFile.model_construct(**blank | readable), mistakes


def _strange(value: object, place: str = "") -> Iterator[tuple[str, float, str]]:
    """Numbers that no key of a study takes, each with its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _strange(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strange(item, f"{place}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield place, value, "expected a finite number"
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield place, value, "expected a number within 2**53 of zero"


def _as_tuples(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_tuples(item) for key, item in value.items()}
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value

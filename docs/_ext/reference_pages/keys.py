"""Keys of study files, from the models that check them: each with its type, its bounds and its default."""

from collections.abc import Iterator
from inspect import get_annotations
from typing import Any

from pydantic import BaseModel

from reference_pages.markup import code, page, prose, table
from runners import probes
from runners.errors import written
from runners.study_file import StudyFile

_TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
_BOUNDS = {
    "minimum": "{} or more",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "pattern": "like `{}`",
    "minLength": "not empty",
    "minItems": "{} or more",
    "minProperties": "{} or more",
}
"""Words for what JSON Schema says of a value's limits."""


def pages() -> dict[str, str]:
    """The keys of a study file, and those of its workloads."""
    study = page(
        "# Study files",
        "A study is a TOML file. These are the keys at its top; those of a `[[workloads]]` table stand on"
        " [a page of their own](workloads.md).",
        *_described(StudyFile, "study", 2),
    )
    return {"study-files": study, "workloads": page("# Workloads", *_workloads())}


def _workloads() -> Iterator[str]:
    """What several kinds share first, then each kind's own; each key stands once."""
    kinds = probes.probes()
    sections: dict[type[BaseModel], list[str]] = {}
    for kind, probe in kinds.items():
        for owner in _owners(probe.settings):
            sections.setdefault(owner, []).append(kind)
    names = {owner: users[0] if len(users) == 1 else owner.__name__ for owner, users in sections.items()}
    titles = {
        owner: "Every workload" if len(users) == len(kinds) else _and(users)
        for owner, users in sections.items()
    }
    yield "Each `[[workloads]]` table of a study names its kind, and has the keys that the kind allows."
    yield table(
        ["kind", "what it measures", "n counts", "keys of"],
        [
            [
                code(kind),
                prose(probe.summary),
                {"seed": "seeds", "process": "processes"}.get(probe.block_unit, "one trial, exact"),
                "; ".join(f"[{titles[one]}](#keys-{names[one]})" for one in _owners(probe.settings)),
            ]
            for kind, probe in kinds.items()
        ],
    )
    for owner in sorted(sections, key=lambda one: -len(sections[one])):
        yield f"(keys-{names[owner]})="
        yield f"## {titles[owner]}"
        yield from _described(owner, names[owner], 3)


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _owners(settings: type[BaseModel]) -> list[type[BaseModel]]:
    """The classes whose keys a workload has, the most general one first."""
    classes = [cls for cls in reversed(settings.__mro__) if issubclass(cls, BaseModel)]
    return [cls for cls in classes if _own(cls)]


def _own(model: type[BaseModel]) -> list[str]:
    return [key for key in get_annotations(model) if key in model.model_fields]


def _described(model: type[BaseModel], owner: str, level: int) -> Iterator[str]:
    schema = model.model_json_schema()
    for key in _own(model):
        field = model.model_fields[key]
        default = "must be given"
        if not field.is_required():
            value = field.get_default()
            default = "none by default" if value is None else f"{code(written(value))} by default"
        kind = _kind(schema["properties"][key])
        yield f"({owner}-{key})="
        yield f"{'#' * level} `{key}`"
        yield f"{kind[0].upper()}{kind[1:]}; {default}: {prose(field.description or '')}."


def _kind(schema: dict[str, Any]) -> str:
    """What a value may be, in the words of TOML, which has no null: such a key is left out."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema or "const" in schema:
        levels = schema["enum"] if "enum" in schema else [schema["const"]]
        return "one of " + ", ".join(code(written(level)) for level in levels)
    match schema.get("type"):
        case "array":
            kind = f"list ({_kind(schema['items'])} each)"
        case "object":
            kind = "table"
        case other:
            kind = _TYPES.get(str(other), "any value")
    limits = [words.format(schema[name]) for name, words in _BOUNDS.items() if name in schema]
    return ", ".join([kind, *limits])

"""A file of a run directory with one thing wrong with it: a value, a key, or bytes."""

import json
import random
from collections.abc import Iterator
from typing import Any

NASTY: list[Any] = [
    *(
        None,
        True,
        False,
        "",
        "banana",
        "fine",
        "\x00\x1b[31m\u202e",
        "=1+1",
        "x" * 5_000,
        [],
        {},
        [None],
        {"": {}},
    ),
    *(-1, 0, 1, 7.5, -0.0, 1e-320, 1e308, -1e308, 2**63, 10**30, [[[[[]]]]], {"a": [1, {"b": None}]}),
]
RAW = [
    *('"\\ud800"', "NaN", "Infinity", "-Infinity", "1e999", "1" * 5_000, "[" * 2_000, "nul", "'x'"),
    *('{"a": 1, "a": 2}', "\ufeff1"),
]
"""Values that Python's writer of JSON would not write, or not so."""


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a JSON document."""
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node[:3]):
            yield from places(value, (*path, index))


def damaged(text: str, chance: random.Random) -> bytes:
    """A file with one thing wrong with it: a value, a key, or bytes."""
    how = chance.choice(["value", "value", "value", "raw", "key", "gone", "more", "bytes", "cut", "empty"])
    if how == "empty":
        return b""
    if how == "cut":
        return text.encode()[: chance.randrange(len(text))]
    if how == "bytes":
        raw = bytearray(text.encode())
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        return bytes(raw)
    document = json.loads(text)
    paths = [path for path in places(document) if path]
    path = chance.choice(paths)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    if how == "gone":
        del parent[path[-1]]
    elif how == "key" and isinstance(parent, dict):
        parent[chance.choice(["", "schema_version", "x" * 300, "\u202e"])] = parent.pop(path[-1])
    elif how == "more" and isinstance(parent, dict):
        parent["nobody_knows_this"] = chance.choice(NASTY)
    elif how == "raw":
        parent[path[-1]] = "\N{SNOWMAN}here"
        return (
            json.dumps(document, ensure_ascii=False).replace('"\N{SNOWMAN}here"', chance.choice(RAW)).encode()
        )
    else:
        parent[path[-1]] = chance.choice(NASTY)
    return json.dumps(document).encode()

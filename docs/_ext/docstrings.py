"""Signatures and docstrings as people would write them for this purpose alone."""

import re
from typing import Any

from sphinx.application import Sphinx

_OBJECT = re.compile(r"<(?:function|factory)(?:[^<>]|<[^<>]*>)*>")
_CLASS = re.compile(r"<class '([\w.]+)'>")
_ANNOTATED = "Annotated["


def plain(text: str) -> str:
    """The same signature: `Annotated[int, ...]` as `int`, a function that is a default as `...`.

    What is left is Python, which Sphinx can read and link.
    """
    text = _CLASS.sub(r"\1", _OBJECT.sub("...", text))
    while (start := text.find(_ANNOTATED)) >= 0:
        inside = start + len(_ANNOTATED)
        comma, end = _ends(text, inside)
        text = text[:start] + text[inside:comma] + text[end + 1 :]
    return text.replace("~typing.", "")


def _ends(text: str, start: int) -> tuple[int, int]:
    """Where the first of the arguments from there ends, and where all of them do."""
    depth, comma = 0, -1
    for place in range(start, len(text)):
        if text[place] in "[(":
            depth += 1
        elif text[place] in "])":
            if depth == 0:
                return comma, place
            depth -= 1
        elif text[place] == "," and depth == 0 and comma < 0:
            comma = place
    raise ValueError(f"no end of {text[start:]!r}")


def _signature(
    _app: Sphinx,
    _what: str,
    _name: str,
    _object: Any,
    _options: Any,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    return signature and plain(signature), returns and plain(returns)


def _as_prose(_app: Sphinx, what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Keep napoleon from reading `One thing: another`, the first line of a property, as type and text."""
    if what == "property" and lines:
        lines[0] = lines[0].replace(": ", " – ")


def setup(app: Sphinx) -> dict[str, Any]:
    """Have Sphinx ask."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _as_prose, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The kinds of value that files hold, with what can be believed of each."""

import math
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)
"""A number is no text, `true` is no number, and a key that nobody knows is a mistake."""

LARGEST_NUMBER = 1e39
"""Beyond float32, in which networks compute; an axis to hold more cannot be drawn."""
LARGEST_COUNT = 2**62
LONGEST_SECONDS = 1e9

_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows: a name could be read as another."""


def clean(text: str) -> str:
    """Text without characters that control a terminal, a page or the order of reading."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\r\t\u2028\u2029":
        return " "
    hidden = unicodedata.category(character) in {"Cc", "Cs"} or character in _OVERRIDES
    # The last two of each plane are no characters, and no XML holds them.
    return "\N{REPLACEMENT CHARACTER}" if hidden or ord(character) & 0xFFFE == 0xFFFE else character


def _finite(content: Any) -> Any:
    """Refuse NaN and infinity within free content, where no type does."""
    if isinstance(content, float) and not math.isfinite(content):
        raise ValueError(f"{content} is no finite number")
    if isinstance(content, dict):
        return {clean(str(key)): _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return clean(content) if isinstance(content, str) else content


Text = Annotated[str, AfterValidator(clean)]
Number = Annotated[float, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Positive = Annotated[int, Field(ge=1, le=LARGEST_COUNT)]
Change = Annotated[int, Field(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
Free = Annotated[Any, AfterValidator(_finite)]
"""Anything that JSON can hold, but for numbers that are none."""

"""From a constructor's signature and docstring to its factors."""

import inspect
import re
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from ablations.factor import BEHAVIOURAL, Examples, Factor, Kind, Level, Range


def factors_of(construct: Callable[..., object]) -> tuple[Factor, ...]:
    """The keyword-only arguments of a function, each as a factor, in their order.

    Raises:
        ValueError: An argument cannot be a factor; the message names it.
    """
    helps = _argument_help(inspect.getdoc(construct) or "")
    hints = get_type_hints(construct, include_extras=True)
    return tuple(
        _factor(parameter, hints.get(parameter.name), helps.get(parameter.name, ""))
        for parameter in inspect.signature(construct).parameters.values()
    )


def _argument_help(documentation: str) -> dict[str, str]:
    """The `Args:` section of a Google-style docstring, by argument."""
    _, _, section = documentation.partition("Args:\n")
    section = re.split(r"\n(?=\S)", section, maxsplit=1)[0]
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text).strip() for name, text in entries}


def _factor(parameter: inspect.Parameter, hint: Any, text: str) -> Factor:
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY or parameter.default is parameter.empty:
        raise ValueError(f"argument {parameter.name!r}: a factor is a keyword-only argument with a default")
    kind, span, examples = BEHAVIOURAL, None, Examples()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        for extra in extras:
            match extra:
                case Kind():
                    kind = extra
                case Range():
                    span = extra
                case Examples():
                    examples = extra
    union = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    choices: tuple[Level, ...] = ()
    if hint is bool:
        choices = (False, True)
    elif get_origin(hint) is Literal:
        choices = get_args(hint)
    elif not (span is not None and int in union):
        raise ValueError(
            f"argument {parameter.name!r}: annotate it with Literal[...], bool, or Annotated[int, Range(...)]"
        )
    pairs = any(get_origin(member) is tuple for member in union)
    return Factor(parameter.name, kind, parameter.default, choices, span, pairs, examples.levels, text)

"""Architectures register themselves; their signatures are the design space.

A file in `ablations/architectures/` (or one that a study names) with an `@architecture` function is all
it takes: the keyword-only arguments are the factors, their annotations the levels, their defaults the
baseline, the docstring's `Args:` the help.
"""

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import torch
from torch import nn

from ablations.factor import BEHAVIOURAL, Examples, Factor, Kind, Level, Range, nearest
from ablations.variant import Variant, parse

Constructor = Callable[..., nn.Module]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A registered network family.

    Attributes:
        name: The function's name.
        summary: The first line of its docstring.
        factors: Its keyword-only arguments, in their order.
        construct: The function.
        source: The file it is written in.
    """

    name: str
    summary: str
    factors: tuple[Factor, ...]
    construct: Constructor
    source: Path

    def factor(self, name: str) -> Factor:
        """Look a factor up.

        Raises:
            ValueError: There is none of that name; the message has the nearest.
        """
        for factor in self.factors:
            if factor.name == name:
                return factor
        hint = nearest(name, (factor.name for factor in self.factors))
        raise ValueError(f"architecture {self.name!r} has no factor {name!r}{hint}")

    def variant(self, levels: Mapping[str, Level]) -> Variant:
        """The baseline with some levels changed.

        Raises:
            ValueError: A factor or level that does not exist, or a combination that cannot be built.
        """
        chosen = {name: self.factor(name).check(level) for name, level in levels.items()}
        complete = {factor.name: chosen.get(factor.name, factor.baseline) for factor in self.factors}
        names = sorted(complete)
        variant = Variant(
            self.name,
            tuple((name, complete[name]) for name in names),
            tuple((name, self.factor(name).baseline) for name in names),
        )
        try:
            with torch.device("meta"):  # the constructor itself is the judge of what it can build
                self.construct(**complete)
        except ValueError as error:
            raise ValueError(f"variant {variant}: {error}") from None
        except Exception as error:
            kind = type(error).__name__
            raise ValueError(f"variant {variant}: the constructor failed: {kind}: {error}") from error
        return variant


_architectures: dict[str, Architecture] = {}


def architecture(construct: Constructor) -> Constructor:
    """Register a function that builds a network; its keyword-only arguments become the factors.

    The function refuses a combination that cannot be built with a ValueError that says why; making the
    variant asks it, so that this happens before anything runs.

    Raises:
        ValueError: The name is taken, or an argument cannot be a factor.
    """
    name = construct.__name__
    source = Path(inspect.getfile(construct)).resolve()
    if name in _architectures:
        known = _architectures[name].source
        raise ValueError(f"architecture {name!r} is registered already, by {known}; rename one")
    documentation = inspect.getdoc(construct) or ""
    helps = _argument_help(documentation)
    hints = get_type_hints(construct, include_extras=True)
    factors = tuple(
        _factor(parameter, hints.get(parameter.name), helps.get(parameter.name, ""))
        for parameter in inspect.signature(construct).parameters.values()
    )
    summary = documentation.partition("\n")[0]
    _architectures[name] = Architecture(name, summary, factors, construct, source)
    return construct


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


def _discover() -> None:
    package = importlib.import_module("ablations.architectures")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def load_plugin(path: Path) -> None:
    """Run a Python file that registers architectures of the user's own. Loading it twice does nothing.

    Raises:
        ValueError: There is no such file, or it fails.
    """
    _discover()  # so that a name that the suite has is the plugin's mistake
    path = path.resolve()
    if any(getattr(module, "__file__", None) == str(path) for module in list(sys.modules.values())):
        return
    # Two files of one name in different folders are two plugins.
    name = f"ablations_plugin_{path.stem}_{hashlib.sha256(bytes(path)).hexdigest()[:8]}"
    specification = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise ValueError(f"plugin {path}: expected a Python file that registers architectures")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    before = dict(_architectures)
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        _architectures.clear()  # what it registered before failing would stand in the corrected file's way
        _architectures.update(before)
        raise ValueError(f"plugin {path} failed: {type(error).__name__}: {error}") from error


def architectures() -> dict[str, Architecture]:
    """Every architecture by name; a copy, so that changing it changes nothing."""
    _discover()
    return dict(sorted(_architectures.items()))


def get(name: str) -> Architecture:
    """Look an architecture up.

    Raises:
        ValueError: There is none of that name; the message has the nearest.
    """
    known = architectures()
    if name not in known:
        raise ValueError(f"no architecture {name!r}{nearest(name, known)}")
    return known[name]


def variant(specification: str) -> Variant:
    """Read a specification into a frozen variant.

    Raises:
        ValueError: Bad grammar, unknown names, or a combination that cannot be built.
    """
    name, assignments = parse(specification)
    found = get(name)
    return found.variant({factor: found.factor(factor).parse(text) for factor, text in assignments.items()})

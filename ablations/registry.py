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
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ablations import execution, zoo
from ablations.factor import Factor, Level, nearest
from ablations.signature import factors_of
from ablations.variant import Variant, parse

if TYPE_CHECKING:
    from torch import nn

Constructor = Callable[..., "nn.Module"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A registered network family.

    Attributes:
        name: The function's name.
        summary: The first line of its docstring.
        factors: Its keyword-only arguments, in their order, and those of `ablations.execution`.
        construct: The function, which may be told a level for each of them.
        source: The file it is written in.
    """

    name: str
    summary: str
    factors: tuple[Factor, ...]
    construct: Constructor
    source: Path

    @classmethod
    def of(cls, name: str, summary: str, construct: Constructor, source: Path) -> "Architecture":
        """A family by the function that builds it.

        Raises:
            ValueError: An argument cannot be a factor.
        """
        factors = (*factors_of(construct), *execution.FACTORS)
        return cls(name, summary, factors, execution.building(construct), source)

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
        variant = self._assemble(levels)
        refusal = _refusal(self.construct, variant)
        if refusal is not None:
            raise ValueError(refusal)
        return variant

    def sketch(self, levels: Mapping[str, Level]) -> "tuple[Variant, nn.Module]":
        """A variant with its network on `meta`, for which nothing is allocated.

        Raises:
            ValueError: As `variant`.
        """
        variant = self._assemble(levels)
        return variant, _sketch(self.construct, variant)

    @property
    def per_pixel(self) -> bool:
        """Whether its networks give one answer a pixel, as their attribute `per_pixel` says."""
        return _labels_pixels(self.construct, self._assemble({}))

    def _assemble(self, levels: Mapping[str, Level]) -> Variant:
        chosen = {name: self.factor(name).check(level) for name, level in levels.items()}
        names = sorted(factor.name for factor in self.factors)
        baseline = {factor.name: factor.baseline for factor in self.factors}
        return Variant(
            self.name,
            tuple((name, chosen.get(name, baseline[name])) for name in names),
            tuple((name, baseline[name]) for name in names),
        )


def _sketch(construct: Constructor, variant: Variant) -> "nn.Module":
    """The network on `meta`; the constructor itself is the judge of what it can build."""
    import torch

    try:
        with torch.device("meta"):
            network = construct(**dict(variant.levels))
        if execution.asked(dict(variant.levels)).get("checkpointing") == "true":
            from ablations import checkpointing

            checkpointing.blocks(network)
        return network
    except Exception as error:
        reason = " ".join(str(error).split())
        if isinstance(error, ValueError):  # its own refusal
            raise ValueError(f"variant {variant}: {reason}") from None
        kind = type(error).__name__
        raise ValueError(f"variant {variant}: the constructor failed: {kind}: {reason}") from error


@cache
def _refusal(construct: Constructor, variant: Variant) -> str | None:
    """Why a variant cannot be built; None where it can."""
    try:
        _sketch(construct, variant)
    except ValueError as error:
        return str(error)
    return None


@cache
def _labels_pixels(construct: Constructor, baseline: Variant) -> bool:
    try:
        return bool(getattr(_sketch(construct, baseline), "per_pixel", False))
    except ValueError:
        return False


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
    summary = (inspect.getdoc(construct) or "").partition("\n")[0]
    _architectures[name] = Architecture.of(name, summary, construct, source)
    return construct


def _discover() -> None:
    package = importlib.import_module("ablations.architectures")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def load_plugin(path: Path) -> ModuleType:
    """Run a Python file of the user's own, which may register architectures. Loading it twice runs it once.

    Raises:
        ValueError: There is no such file, or it fails.
    """
    _discover()  # so that a name that the suite has is the plugin's mistake
    path = path.resolve()
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == str(path):
            return module
    name = _plugin_name(path)
    specification = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise ValueError(f"plugin {path}: expected a Python file that registers architectures")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException as error:
        unload_plugin(path)  # what it registered before failing would stand in the corrected file's way
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ValueError(f"plugin {path} failed: {type(error).__name__}: {error}") from error
    return module


def unload_plugin(path: Path) -> None:
    """Drop a plugin's file and the architectures that it registered; nothing where it was not loaded."""
    path = path.resolve()
    sys.modules.pop(_plugin_name(path), None)
    for name in [name for name, found in _architectures.items() if found.source == path]:
        del _architectures[name]


def _plugin_name(path: Path) -> str:
    """Two files of one name in different folders are two plugins."""
    return f"ablations_plugin_{path.stem}_{hashlib.sha256(bytes(path)).hexdigest()[:8]}"


def architectures() -> dict[str, Architecture]:
    """Every architecture by name; a copy, so that changing it changes nothing."""
    _discover()
    return dict(sorted(_architectures.items()))


def get(name: str) -> Architecture:
    """Look an architecture up.

    Raises:
        ValueError: There is none of that name; the message has the nearest.
    """
    if zoo.is_named(name):
        return zoo.get(name)
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

"""What is known by name: one file each in a package, found by discovery, and what plugins bring."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from ablations.factor import nearest
from runners.errors import BadInput

T = TypeVar("T")


class Registry(Generic[T]):
    """The probes, the data sets or the launchers there are.

    Attributes:
        attribute: What a file calls the one that it holds: `PROBE`.
        noun: What messages call one.
    """

    def __init__(
        self,
        package: str,
        attribute: str,
        noun: str,
        type_: type[T],
        name: Callable[[T], str],
        parts: tuple[str, Callable[[T], Iterable[str]]] | None = None,
    ) -> None:
        """Start with what is found by discovery.

        Args:
            package: Every module in it (and every package) holds one.
            attribute: By this name.
            noun: For messages.
            type_: The class of all of them.
            name: What one is looked up by.
            parts: Further names that no two may share, and the noun for these.
        """
        self.attribute, self.noun = attribute, noun
        self._package, self._type, self._name = package, type_, name
        self._parts = parts
        self._brought: dict[str, tuple[T, Path]] = {}

    def all(self) -> dict[str, T]:
        """Every one of them by name, in order of names; a copy, so that changing it changes nothing."""
        return {name: item for name, (item, _) in sorted(self._known().items())}

    def get(self, name: str) -> T:
        """Look one up.

        Raises:
            BadInput: There is none of that name; the line has the nearest.
        """
        return self._find(name)[0]

    def source(self, name: str) -> Path:
        """The file that one is written in; of a package its `__init__.py`.

        Raises:
            BadInput: As `get`.
        """
        return self._find(name)[1]

    def register(self, item: object, source: Path) -> None:
        """Add what a plugin brings; the same one again does nothing.

        Raises:
            BadInput: It is something else, or its name is taken.
        """
        if not isinstance(item, self._type):
            given, expected = type(item).__name__, self._type.__name__
            raise BadInput(f"plugin {source}: {self.attribute} is of type {given}; expected {expected}")
        known = {name: found for name, found in self._known().items() if found[0] is not item}
        name = self._name(item)
        taken = [(self.noun, name, known[name][1])] if name in known else []
        if self._parts is not None:
            noun, names = self._parts
            taken += [
                (noun, part, by) for other, by in known.values() for part in {*names(item)} & {*names(other)}
            ]
        if taken:
            what, which, by = taken[0]
            raise BadInput(f"plugin {source}: {what} {which!r} is there already, by {by}; rename one")
        self._brought[name] = (item, source)

    def forget(self, source: Path) -> None:
        """Drop what that plugin brought."""
        self._brought = {name: found for name, found in self._brought.items() if found[1] != source}

    def _find(self, name: str) -> tuple[T, Path]:
        known = self._known()
        if name not in known:
            raise BadInput(f"no {self.noun} {name!r}{nearest(name, sorted(known))}")
        return known[name]

    def _known(self) -> dict[str, tuple[T, Path]]:
        return self._discovered | self._brought

    @cached_property
    def _discovered(self) -> dict[str, tuple[T, Path]]:
        """What the package holds, looked up once: a plan asks for each trial."""
        package = importlib.import_module(self._package)
        modules = [
            importlib.import_module(f"{self._package}.{module.name}")
            for module in pkgutil.iter_modules(package.__path__)
        ]
        found: list[tuple[T, Path]] = [
            (getattr(module, self.attribute), Path(inspect.getfile(module)).resolve()) for module in modules
        ]
        return {self._name(item): (item, source) for item, source in found}

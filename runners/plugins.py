"""Plugins: what the suite has a folder for, brought by a file or a folder of one's own.

A file may hold architectures (functions under `@architecture`), a `DATASET`, a `PROBE`, a `RECIPE`, a
`LAUNCHER`, a `SOURCE` of claims and a `SECTION` of the report, or several of them in a list (`DATASETS`,
...). Of a folder every `*.py` directly in it is such a file, and every `*.toml` a study. An installed package
names a module of its own that is such a file as an entry point of the group `ablations.plugins`; its name
stands where a path does.
"""

import importlib
import importlib.util
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import ablations
from ablations import registry
from ablations.factor import nearest
from runners.errors import BadInput
from runners.registry import Registry

_REGISTRIES = {
    "DATASET": "runners.datasets",
    "PROBE": "runners.probes",
    "LAUNCHER": "runners.launchers",
    "RECIPE": "runners.probes.convergence.recipes",
    "SOURCE": "runners.claims",
}
"""Where each is registered; named, not imported: no trial runs through what it does not use."""
_SECTION, _TOPICS = "SECTION", "results.report.topics"
_NO_STUDY = "pyproject.toml"
ENTRY_POINTS = "ablations.plugins"
"""The group of entry points."""


@dataclass(frozen=True, slots=True)
class PluginFile:
    """A file that was loaded.

    Attributes:
        path: Where it lies.
        holds: What it brought: `architecture`, or names of its attributes such as `PROBE`; empty where it
            acts by being loaded alone.
    """

    path: Path
    holds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What plugins brought.

    Attributes:
        files: Every file, in the order of loading.
        studies: Files of studies by name.
    """

    files: tuple[PluginFile, ...]
    studies: dict[str, Path]


_loaded: dict[Path, Loaded] = {}


def load(paths: Iterable[Path]) -> Loaded:
    """Load files and folders and register what they hold; what is loaded already is left as it is.

    Raises:
        BadInput: There is no such file, it fails, or a name is taken; then nothing of that plugin stays.
    """
    places = [_place_of(path) for path in paths]
    found = [_loaded.get(path) or _load(path) for path in places]
    files = {file.path: file for loaded in found for file in loaded.files}
    studies = {name: path for loaded in found for name, path in loaded.studies.items()}
    return Loaded(tuple(files.values()), studies)


def studies() -> dict[str, Path]:
    """Files of the studies that plugins brought, by name."""
    return {name: path for loaded in _loaded.values() for name, path in loaded.studies.items()}


def installed() -> dict[str, str]:
    """Modules that installed packages name as plugins, by the entry point's name."""
    return {point.name: point.module for point in entry_points(group=ENTRY_POINTS)}


def _place_of(path: Path) -> Path:
    """A path, or the file of the module of an entry point, where there is no such path."""
    named = path.parent.is_dir() and not path.exists()  # beside a study, or where the command runs
    if named and (module := installed().get(path.name)) is not None:
        try:
            origin = importlib.import_module(module).__file__  # as itself: it may import its own package
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise BadInput(f"plugin {path.name}: module {module} failed: {reason}") from error
        if origin is not None:
            return Path(origin).resolve()
    return path.resolve()


def _load(path: Path) -> Loaded:
    if not path.is_dir() and not (path.is_file() and path.suffix == ".py"):
        others = f", or one that is installed{nearest(path.name, names)}" if (names := installed()) else ""
        raise BadInput(f"plugin {path}: expected a Python file or a folder of such files{others}")
    sources = sorted(path.glob("*.py")) if path.is_dir() else [path]
    known = {file.path for loaded in _loaded.values() for file in loaded.files}
    try:
        modules = {source: _execute(source) for source in sources}
        brought = [(what, item, source) for source in sources for what, item in _held(modules[source])]
        for what, item, source in brought:
            if what in _REGISTRIES:
                _registry(what).register(item, source)
        studies_ = _studies(path)
        _register_sections([(item, source) for what, item, source in brought if what == _SECTION])
    except BadInput:
        for source in sources:
            if source not in known:
                _forget(source)
        raise
    _loaded[path] = Loaded(tuple(PluginFile(source, _holds(source, brought)) for source in sources), studies_)
    return _loaded[path]


def _execute(source: Path) -> ModuleType:
    try:
        for module in installed().values():
            # By its own name in a trial's process, too, where nothing imported it: it may import its package.
            found = importlib.util.find_spec(module)
            if found is not None and found.origin is not None and Path(found.origin).resolve() == source:
                importlib.import_module(module)
        return ablations.load_plugin(source)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{reason}{_place(error.__cause__, source)}") from error


def _place(error: BaseException | None, source: Path) -> str:
    """Where in the file it was raised: ` (mine.py:12)`."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    lines = [frame.lineno for frame in frames if Path(frame.filename) == source]
    return f" ({source.name}:{lines[-1]})" if lines else ""


def _held(module: ModuleType) -> Iterator[tuple[str, object]]:
    """What a file holds beside architectures, each with its attribute's name in the singular."""
    for what in (*_REGISTRIES, _SECTION):
        if hasattr(module, what):
            yield what, getattr(module, what)
        yield from ((what, item) for item in getattr(module, f"{what}S", ()))


def _holds(source: Path, brought: Iterable[tuple[str, object, Path]]) -> frozenset[str]:
    architectures = [found for found in registry.architectures().values() if found.source == source]
    found = {what for what, _, its_source in brought if its_source == source}
    return frozenset(found | {"architecture"} if architectures else found)


def _registry(what: str) -> Registry[Any]:
    found: Registry[Any] = importlib.import_module(_REGISTRIES[what]).REGISTRY
    return found


def _register_sections(sections: Sequence[tuple[object, Path]]) -> None:
    """Add sections to the report, all or none."""
    if not sections:
        return
    topics = importlib.import_module(_TOPICS)
    known = {topic.name: topic for topic in topics.topics()}
    for section, source in sections:
        if not isinstance(section, topics.Topic):
            given = type(section).__name__
            raise BadInput(f"plugin {source}: {_SECTION} is of type {given}; expected Topic")
        if known.setdefault(section.name, section) is not section:
            raise BadInput(f"plugin {source}: section {section.name!r} is there already; rename one")
    for section, _ in sections:
        topics.register(section)


def _studies(path: Path) -> dict[str, Path]:
    """The studies of a folder by name."""
    found = {table.stem: table for table in sorted(path.glob("*.toml")) if table.name != _NO_STUDY}
    suite = Path(ablations.__file__).parent / "studies"
    known = {table.stem: table for table in suite.glob("*.toml")} | studies()
    for name in found.keys() & known.keys():
        raise BadInput(f"plugin {found[name]}: study {name!r} is there already, by {known[name]}; rename one")
    return found


def _forget(source: Path) -> None:
    registry.unload_plugin(source)
    for what in _REGISTRIES:
        _registry(what).forget(source)

"""The source files that a trial runs through, so that a changed one is measured anew and no other.

What imports what is read from the files themselves, imports within functions included. Left out are
`results` (a record's schema version speaks for it) and what is found by discovery: another probe, another
architecture or another data set changes nothing here.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import ablations
from ablations import registry
from runners import datasets, plugins, probes

PACKAGES: Mapping[str, Path] = {
    "ablations": Path(ablations.__file__).parent,
    "runners": Path(__file__).parent,
}


def trial_sources(
    kind: str, architecture: str, dataset: str | None, plugin_files: tuple[Path, ...]
) -> frozenset[Path]:
    """Every file that a trial runs through.

    Args:
        kind: The workload's.
        architecture: The network family's name.
        dataset: The data set's name; None without one.
        plugin_files: As `plugin_files` tells them.
    """
    probe = probes.source(kind)
    starts = [PACKAGES["runners"] / "execute.py", *plugin_files, *used(kind, architecture, dataset)]
    starts += probes.get(kind).runs_through()
    if probe.name == "__init__.py":
        starts += probe.parent.rglob("*.py")
    return closure(starts, PACKAGES)


def used(kind: str, architecture: str, dataset: str | None) -> frozenset[Path]:
    """The files that hold the probe, the architecture and the data set."""
    found = {probes.source(kind), registry.get(architecture).source}
    return frozenset(found if dataset is None else found | {datasets.source(dataset)})


def plugin_files(paths: Iterable[Path], needed: frozenset[Path]) -> tuple[Path, ...]:
    """The files of plugins that a trial needs: those that hold what it uses, or act by being loaded.

    A section of the report or a launcher beside them changes no measurement.
    """
    loaded = plugins.load(paths)
    return tuple(file.path for file in loaded.files if not file.holds or file.path in needed)


def digest(files: Iterable[Path]) -> str:
    """A hash of what files say, wherever they lie."""
    return hashlib.sha256("".join(sorted(map(_content_digest, files))).encode()).hexdigest()


def closure(starts: Iterable[Path], packages: Mapping[str, Path]) -> frozenset[Path]:
    """Files, what they import of the packages, what that imports, and so on.

    Args:
        starts: Where to begin.
        packages: Folders by package name; what else is imported does not count.
    """
    found: set[Path] = set()
    waiting = [path.resolve() for path in starts]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [file for module in _imports(path) for file in _files(module, packages)]
    return frozenset(found)


def _files(module: str, packages: Mapping[str, Path]) -> Iterator[Path]:
    """The files that importing a module runs: its own, and the `__init__.py` of each package on the way.

    A name in a module is no file of its own.
    """
    top, *parts = module.split(".")
    if top not in packages:
        return
    folder = packages[top]
    yield folder / "__init__.py"
    for part in parts:
        if (folder / f"{part}.py").is_file():
            yield folder / f"{part}.py"
            return
        folder /= part
        if not (folder / "__init__.py").is_file():
            return
        yield folder / "__init__.py"


@cache
def _imports(path: Path) -> frozenset[str]:
    """Dotted names of the modules that a file imports, and of names in them, which may be modules too."""
    return frozenset(_imported(ast.parse(path.read_bytes())))


def _imported(node: ast.AST) -> Iterator[str]:
    """Of a statement and those within it; expressions hold no imports."""
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(module=str(module), level=0):
            yield from (f"{module}.{alias.name}" for alias in node.names)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield from (name for child in node.orelse for name in _imported(child))
        case ast.mod() | ast.stmt() | ast.ExceptHandler() | ast.match_case():
            yield from (name for child in ast.iter_child_nodes(node) for name in _imported(child))


@cache
def _content_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""The house: folders import from those before them, tests stand where the code stands, files stay small."""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ablations", "runners", "results")
FLOW = ("records", "frames", "verdicts", "tables", "plots", "report", "run", "compare")
"""The steps of `results/`, each of which may import from those before it."""
AT_THE_TOP = {"__init__.py", "run.py", "compare.py"}

MOST_LINES, MOST_MEDIAN_LINES, MOST_FUNCTION_LINES = 350, 110, 60


def sources(root: Path, *packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((root / package).rglob("*.py"))]


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules that a file imports, wherever it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def against_the_flow(root: Path) -> list[str]:
    """Imports within `results/` from a step that comes later."""
    found = set()
    for path in sources(root, "results"):
        step = path.relative_to(root / "results").parts[0].removesuffix(".py")
        if step == "__init__":
            continue
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            parts = name.split(".")
            if parts[0] == "results" and set(parts[1:2]) & set(FLOW[FLOW.index(step) + 1 :]):
                found.add(f"{path.relative_to(root)}: {'.'.join(parts[:2])}")
    return sorted(found)


def strangers(root: Path) -> list[str]:
    """What stands in `results/` that is no step of the flow."""
    known = {*FLOW, "py.typed", "__pycache__"} | AT_THE_TOP
    return sorted(path.name for path in (root / "results").iterdir() if path.name not in known)


def misplaced_tests(root: Path) -> list[str]:
    """Folders of tests without one of code, and folders of code without one of tests."""
    modules = [path for path in sources(root, *PACKAGES) if (path.parent / "__init__.py").is_file()]
    code = {path.parent.relative_to(root) for path in modules}
    tested = {path.parent.relative_to(root / "tests") for path in (root / "tests").rglob("test_*.py")}
    tested = {folder for folder in tested if folder.parts and folder.parts[0] in PACKAGES}
    with_code = {path.parent.relative_to(root) for path in modules if path.name != "__init__.py"}
    # What a folder's own folders test for it need not be tested twice.
    covered = {parent for folder in tested for parent in folder.parents}
    return sorted(map(str, (tested - code) | (with_code - tested - covered)))


def note_readers(root: Path) -> list[str]:
    """Lines that look for something in a note, or take one apart."""
    reads = re.compile(
        r"""(?:\[["']note["']\]|\.note|\bnotes?)\s*\.(?:split|partition|startswith|endswith|removeprefix|str|find|index)\b"""
        r"""|["'][^"']*["']\s+(?:not\s+)?in\s+(?:\w+\[["']note["']\]|\w+\.note|notes?)\b"""
    )
    return [
        f"{path.relative_to(root)}:{number}"
        for path in sources(root, "results", "runners")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if reads.search(line)
    ]


def file_lengths(root: Path) -> dict[str, int]:
    """Lines of every file that has any."""
    texts = {str(path.relative_to(root)): path.read_text("utf-8") for path in sources(root, *PACKAGES)}
    return {name: len(text.splitlines()) for name, text in texts.items() if text}


def long_functions(root: Path) -> list[str]:
    """Functions of too many lines, docstrings not counted: those of factors are what a user reads."""
    return [
        f"{path.relative_to(root)}: {node.name}"
        for path in sources(root, *PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 - lines_of_docstring(node) > MOST_FUNCTION_LINES
    ]


def lines_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    return (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The code and the names of its tests, to be broken."""
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    return tmp_path


def test_each_step_of_results_imports_from_those_before_it() -> None:
    assert against_the_flow(ROOT) == []


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("records/late.py", "from results.frames import samples"),
        ("frames/late.py", "import results.verdicts.judge"),
        ("verdicts/late.py", "def f() -> None:\n    from results.tables import format"),
        ("tables/late.py", "from results.report.section import Table"),
        ("plots/late.py", "from results.run import Run"),
        ("report/sections/late.py", "from results.compare import compare"),
    ],
)
def test_an_import_against_the_flow_is_found(copied: Path, place: str, line: str) -> None:
    (copied / "results" / place).write_text(line + "\n")
    (found,) = against_the_flow(copied)
    assert found.startswith(f"results/{place}: results.")


def test_results_holds_the_steps_of_the_flow_and_nothing_beside_them(copied: Path) -> None:
    assert strangers(ROOT) == []
    (copied / "results" / "notes.py").write_text("")
    assert strangers(copied) == ["notes.py"]


def test_tests_stand_where_the_code_stands(copied: Path) -> None:
    assert misplaced_tests(ROOT) == []
    (copied / "tests" / "results" / "nowhere").mkdir()
    (copied / "tests" / "results" / "nowhere" / "test_it.py").write_text("")
    (copied / "runners" / "untested").mkdir()
    (copied / "runners" / "untested" / "__init__.py").write_text("")
    (copied / "runners" / "untested" / "work.py").write_text("")
    assert misplaced_tests(copied) == ["results/nowhere", "runners/untested"]


def test_no_note_is_read_back(copied: Path) -> None:
    assert note_readers(ROOT) == []
    for line in ('exact = "exact" in row["note"].split("; ")', 'first = notes[0] if "would" in note else ""'):
        (copied / "results" / "report" / "late.py").write_text(line + "\n")
        assert note_readers(copied) == ["results/report/late.py:1"]


def test_files_and_functions_stay_small(copied: Path) -> None:
    lengths = file_lengths(ROOT)
    assert {name: count for name, count in lengths.items() if count > MOST_LINES} == {}
    assert median(lengths.values()) <= MOST_MEDIAN_LINES
    assert long_functions(ROOT) == []
    (copied / "runners" / "late.py").write_text("def work():\n" + "    do()\n" * MOST_LINES)
    assert max(file_lengths(copied).values()) == MOST_LINES + 1
    assert long_functions(copied) == ["runners/late.py: work"]

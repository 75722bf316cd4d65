"""docs/pandas.ipynb runs from its first cell to its last, and shows what stands in it."""

import base64
import io
from typing import Any

import nbformat
import pytest
from PIL import Image

from tests.docs.notebook import PAGE, executed
from tests.docs.recorded import unpacked

MOST_BYTES = 300_000


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook: Any, kind: str) -> list[list[str]]:
    """What each cell of code shows, of one kind."""
    return [
        [output.data[kind] for output in cell.outputs if kind in output.get("data", {})]
        for cell in code(notebook)
    ]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = tmp_path_factory.mktemp("notebook")
    unpacked("quick", folder)
    return nbformat.read(PAGE, as_version=4), executed(PAGE, folder)


def test_it_is_small_valid_and_was_run_in_order(both: tuple[Any, Any]) -> None:
    kept, _ = both
    nbformat.validate(kept)
    assert PAGE.stat().st_size < MOST_BYTES
    assert [cell.execution_count for cell in code(kept)] == [i + 1 for i in range(len(code(kept)))]
    assert all(cell.outputs for cell in code(kept))
    assert not [output for cell in code(kept) for output in cell.outputs if output.output_type == "error"]


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_it_shows_what_it_showed(both: tuple[Any, Any], kind: str) -> None:
    kept, anew = both
    assert any(shown(kept, kind))
    assert shown(anew, kind) == shown(kept, kind), "run it anew: python -m tests.docs.notebook"


def test_a_run_shows_itself_and_figures_are_pictures(both: tuple[Any, Any]) -> None:
    kept, anew = both
    for notebook in (kept, anew):
        first = shown(notebook, "text/html")[0]
        assert "Run of study quick" in first[0]
        assert "<table" in first[0]
        pictures = [base64.b64decode(png) for cell in shown(notebook, "image/png") for png in cell]
        assert len(pictures) == 2
        assert all(Image.open(io.BytesIO(png)).width > 300 for png in pictures)

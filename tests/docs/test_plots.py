"""docs/plots.md: every figure of `results.plots` has an example that draws it, and its picture beside it."""

import io
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from results import plots
from tests.docs.plots import DOCS, PAGE, drawn, small, write_runs

TEXT = PAGE.read_text("utf-8")
MOST_BYTES = 60_000
FUNCTIONS = sorted(set(plots.__all__) - {"drawn"})


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    folder = tmp_path_factory.mktemp("plots")
    write_runs(folder)
    return {Path(picture).stem: figure for picture, figure in drawn(TEXT, folder)}


def test_every_figure_has_a_section_and_a_picture(figures: dict[str, Figure]) -> None:
    assert sorted(re.findall(r"^## `(\w+)`: ", TEXT, re.MULTILINE)) == FUNCTIONS
    assert sorted(figures) == FUNCTIONS
    assert sorted(path.stem for path in (DOCS / "figures" / "plots").iterdir()) == FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_picture_is_that_of_the_example(figures: dict[str, Figure], name: str) -> None:
    assert figures[name].axes, "a figure that says why it is empty has none"
    kept = DOCS / "figures" / "plots" / f"{name}.png"
    assert kept.stat().st_size < MOST_BYTES
    with Image.open(kept) as picture, Image.open(io.BytesIO(small(figures[name]))) as anew:
        assert picture.size == anew.size, "draw it anew: python -m tests.docs.plots"
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10

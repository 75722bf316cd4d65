"""The pictures of docs/plots.md: each is the `figure` of the example above it.

    python -m tests.docs.plots

draws them anew into docs/figures/plots.
"""

import contextlib
import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from results import plots
from results.records.benchmarks import store
from results.records.pytest_benchmark import read
from tests.docs.recorded import unpacked
from tests.results import planted_benchmarks
from tests.results.planted import Plan
from tests.results.planted_factorial import Planted, whole
from tests.results.planted_factorial import write_run as write_factorial
from tests.results.planted_inside import write_looked_at
from tests.results.planted_timing import write_timed_run

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "plots.md"
_PART = re.compile(r"```python\n(.*?)```|!\[[^\]]+\]\((figures/plots/[^)]+)\)", re.DOTALL)
_SCALE, _COLOURS = 0.75, 64
_CROSSED = ("norm", "pool", "stem")


def write_runs(folder: Path) -> None:
    """The run directories of the page, in `folder/runs`."""
    unpacked("quick", folder)
    write_factorial(folder / "runs" / "crossed", Planted("full-factorial", whole(_CROSSED), _CROSSED))
    write_timed_run(folder / "runs" / "sweep")
    write_looked_at(folder / "runs" / "inside", Plan(processes=2, seeds=3))
    _write_blocks(folder / "runs" / "blocks")


def _write_blocks(path: Path) -> None:
    level, rng = planted_benchmarks.level, np.random.default_rng(3)
    ratios = {"batch": 1.0, "group": 1.3, "instance": 1.02, "layer": 0.8}
    for i in range(6):
        levels = [
            level(name, 0.001 * ratio * float(np.exp(rng.normal(0, 0.01))), baseline=name == "batch")
            for name, ratio in ratios.items()
        ]
        given = planted_benchmarks.content(*levels, at=f"2026-03-0{i + 1}T12:00:00+00:00")
        store(path, [read(planted_benchmarks.write(path.parent / f"blocks-{i}.json", given))])


def drawn(page: str, folder: Path) -> Iterator[tuple[str, Figure]]:
    """Each picture that a page shows, with the figure that the examples before it make."""
    session: dict[str, Any] = {}
    for code, picture in _PART.findall(page):
        if code:
            with contextlib.chdir(folder):
                exec(compile(code, "example", "exec"), session)
        else:
            yield picture, session.pop("figure")


def small(figure: Figure) -> bytes:
    """A figure as a PNG of few colours, as large as a page needs."""
    _, png = plots.drawn(figure)
    whole = Image.open(io.BytesIO(png)).convert("RGB")
    size = (round(whole.width * _SCALE), round(whole.height * _SCALE))
    shown = whole.resize(size, Image.Resampling.LANCZOS).quantize(_COLOURS)
    out = io.BytesIO()
    shown.save(out, "PNG", optimize=True)
    return out.getvalue()


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_runs(Path(folder))
        for picture, figure in drawn(PAGE.read_text("utf-8"), Path(folder)):
            (DOCS / picture).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / picture).write_bytes(small(figure))


if __name__ == "__main__":
    _main()

"""The notebook of docs/: executed, with what it shows.

    python -m tests.docs.notebook

executes docs/pandas.ipynb anew beside `runs/quick` and writes it with its outputs.
"""

import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.docs.recorded import unpacked

PAGE = Path(__file__).parents[2] / "docs" / "pandas.ipynb"


def executed(page: Path, folder: Path) -> Any:
    """A notebook run from its first cell to its last in a folder that holds `runs`, as it is shown then."""
    notebook = nbformat.read(page, as_version=4)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    notebook.metadata["language_info"] = {"name": "python"}  # not the version that it was run with
    for cell in notebook.cells:
        cell.metadata.clear()  # the times at which it ran
    return notebook


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        unpacked("quick", Path(folder))
        nbformat.write(executed(PAGE, Path(folder)), PAGE)


if __name__ == "__main__":
    _main()

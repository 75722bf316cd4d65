"""Pages that are made from the code when the site is built: commands, keys of study files, studies, names.

They lie in `docs/reference/`, which git ignores, so that no copy can fall behind.
"""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from reference_pages import commands, keys, names, studies

FOLDER = "reference"


def pages() -> dict[str, str]:
    """MyST of every page by its place in the folder, without the ending."""
    return commands.pages() | keys.pages() | studies.pages() | names.pages()


def _write(app: Sphinx) -> None:
    """Bring the folder up to date: a page that is as it was is left alone, one that is no more goes."""
    folder = Path(app.srcdir) / FOLDER
    wanted = {folder / f"{name}.md": text for name, text in pages().items()}
    for path in set(folder.rglob("*.md")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Have the pages made before Sphinx looks for pages."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Pages with examples: each block of Python with what it prints, in one session.

    python -m tests.docs.pages docs/pandas.md

runs the blocks of a page, in order, beside `runs/quick` and `runs/earlier`, and writes what they print into
the block of text that follows each.
"""

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from tests.docs.recorded import quick_and_earlier

_EXAMPLE = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def examples(page: str) -> list[tuple[str, str]]:
    """The code of each block, and what the page says that it prints."""
    return [(code, printed) for code, printed in _EXAMPLE.findall(page)]


def printed(page: str, folder: Path) -> list[str]:
    """What each block prints, run in one session in a folder that holds `runs`."""
    session: dict[str, Any] = {}
    found = []
    with contextlib.chdir(folder):
        for code, _ in examples(page):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(code, "example", "exec"), session)
            found.append("".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines()))
    pd.reset_option("^display")
    return found


def filled(page: str, folder: Path) -> str:
    """The page with what its blocks print."""
    outputs = iter(printed(page, folder))

    def example(match: re.Match[str]) -> str:
        output = next(outputs)
        text = f"\n```text\n{output}```\n" if output else ""
        return f"```python\n{match[1]}```\n{text}"

    return _EXAMPLE.sub(example, page)


def _main(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        quick_and_earlier(Path(folder))
        path.write_text(filled(path.read_text("utf-8"), Path(folder)), "utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

"""A page for each study that has a name: its question, and the file itself."""

from collections.abc import Iterator
from pathlib import Path

from reference_pages.markup import code, page, prose, table, toctree
from runners import study_file


def pages() -> dict[str, str]:
    """The list of studies, and a page for each."""
    found = study_file.studies()
    index = page(
        "# Built-in studies",
        "Each is a file to copy: `ablate plan NAME` says what it runs, `ablate run NAME` runs it.",
        toctree(f"studies/{name}" for name in found),
    )
    return {"studies": index} | {f"studies/{name}": _page(name, path) for name, path in found.items()}


def _page(name: str, path: Path) -> str:
    file, _ = study_file.parse(study_file.read(path), name)
    text = path.read_text(encoding="utf-8")
    return page(
        f"# {name}",
        f"**{prose(file.question)}**",
        prose(" ".join(_remarks(text))),
        table(
            ["architecture", "design", "factors", "workloads"],
            [
                [
                    code(file.architecture),
                    file.design,
                    ", ".join(map(code, file.factors)),
                    ", ".join(code(str(one.get("name", one["kind"]))) for one in file.workloads),
                ]
            ],
        ),
        f"```console\n$ ablate plan {name}\n$ ablate run {name}\n```",
        f"```toml\n{text.rstrip()}\n```",
    )


def _remarks(text: str) -> Iterator[str]:
    """What stands in comments above the first key."""
    for line in text.splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").strip()

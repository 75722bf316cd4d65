"""A folder to begin from: a network, a data set, a metric and a study of one's own, with their tests."""

import shutil
from pathlib import Path

from runners.errors import BadInput, written

TEMPLATES = Path(__file__).parent / "templates"


def begin(directory: Path) -> tuple[Path, ...]:
    """Write the files, which work as they are.

    Returns:
        Where they lie.

    Raises:
        BadInput: One of them is there already; none is written then.
    """
    names = sorted(
        path.relative_to(TEMPLATES)
        for path in TEMPLATES.rglob("*")
        if path.is_file() and path.suffix in (".py", ".toml")
    )
    if taken := next((name for name in names if (directory / name).exists()), None):
        raise BadInput(f"DIRECTORY {written(str(directory))} has a {taken} already; choose a new folder")
    try:
        for name in names:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(TEMPLATES / name, directory / name)
    except OSError as error:
        raise BadInput(f"DIRECTORY {written(str(directory))}: {error.strerror}") from error
    return tuple(directory / name for name in names)

"""What study files and the command line call by name: as `ablate list` has it, a section each."""

from typing import Any

from reference_pages.markup import page, prose, table
from runners.terminal.listings import LISTINGS

_ELSEWHERE = {"studies", "workloads"}
"""Those that have pages of their own."""
_OF_THIS_MACHINE = {"available"}
"""What `ablate list` says of the machine it runs on."""


def pages() -> dict[str, str]:
    """One page of all."""
    sections = [part for name in LISTINGS if name not in _ELSEWHERE for part in _section(name)]
    return {"names": page("# Names", "What `ablate list` prints, without plugins.", *sections)}


def _section(name: str) -> tuple[str, str]:
    rows = LISTINGS[name]()
    columns = [column for column in rows[0] if column not in _OF_THIS_MACHINE]
    cells = ([_shown(row[column]) for column in columns] for row in rows)
    return f"## {name.capitalize()}", table([column.replace("_", " ") for column in columns], cells)


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return prose(", ".join(map(str, value)))
    return prose("" if value is None else str(value))

"""What claims are expected to come to, held against what they came to."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ablations.factor import nearest
from results.run import Run
from results.verdicts.claims import VERDICTS
from runners.errors import BadInput, written

Expected = Mapping[str, frozenset[str]]
"""By claim the verdicts that it may come to: one, or one an environment."""


def read(path: Path | None) -> Expected:
    """Verdicts by claim: a CSV with columns `claim` and `verdict`, as `report/tables/claims.csv` is one.

    Raises:
        BadInput: It is no such file; all that is wrong with it at once.
    """
    if path is None:
        return {}
    where = f"--expect {path}"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"{where}: cannot be read ({reason})") from error
    if not rows or not {"claim", "verdict"} <= rows[0].keys():
        raise BadInput(f"{where}: expected a CSV with the columns claim and verdict, such as claims.csv")
    told = [(str(row["claim"]), str(row["verdict"])) for row in rows]
    wrong = [
        f"{where}: {claim}: no verdict {written(verdict)}{nearest(verdict, VERDICTS)}"
        for claim, verdict in told
        if verdict not in VERDICTS
    ]
    if wrong:
        raise BadInput(wrong)
    return {claim: frozenset(v for name, v in told if name == claim) for claim, _ in told}


def checked(expected: Expected, declared: Iterable[str]) -> Expected:
    """The same, once it is sure that the study declares these claims.

    Raises:
        BadInput: It does not; a line each.
    """
    known = list(declared)
    strange = [name for name in expected if name not in known]
    if strange:
        said = (f"--expect: no claim {written(name)} in this study{nearest(name, known)}" for name in strange)
        raise BadInput(list(said))
    return expected


def flips(run: Run, expected: Expected) -> Iterator[str]:
    """A line for each claim that came out against what was expected, where any environment ran it, there."""
    rows = run.claims()
    for name, verdicts in expected.items():
        mine = rows[rows["claim"] == name]
        ran = mine[mine["verdict"] != "not run"]
        for row in (ran if len(ran) else mine.head(1)).to_dict("records"):
            if row["verdict"] not in verdicts:
                seen = f": {told}" if (told := row["measured"] or row["reason"]) else ""
                yield f"claim {name} is {row['verdict']}, expected {' or '.join(sorted(verdicts))}{seen}"

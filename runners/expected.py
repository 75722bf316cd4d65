"""What claims are expected to come to, held against what they came to."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ablations.factor import nearest
from results.run import Run
from results.verdicts.claims import VERDICTS
from runners.errors import BadInput, written

Expected = Mapping[str, str]


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
    told = {str(row["claim"]): str(row["verdict"]) for row in rows}
    wrong = [
        f"{where}: {claim}: no verdict {written(verdict)}{nearest(verdict, VERDICTS)}"
        for claim, verdict in told.items()
        if verdict not in VERDICTS
    ]
    if wrong:
        raise BadInput(wrong)
    return told


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
    """A line for each claim that came out against what was expected."""
    for row in run.claims().to_dict("records"):
        wanted = expected.get(str(row["claim"]))
        if wanted is not None and row["verdict"] != wanted:
            seen = f": {row['measured']}" if row["measured"] else ""
            yield f"claim {row['claim']} is {row['verdict']}, expected {wanted}{seen}"

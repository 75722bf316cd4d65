"""The pairs of factors that a run flags, for 2x2s of their own."""

from pathlib import Path

import results
from results.tables.headline import headline_rows
from results.verdicts.flagged import flagged
from runners.errors import BadInput


def pairs_of(directory: Path | None) -> tuple[tuple[str, ...], ...]:
    """Pairs whose interaction a report calls decided, or that a fraction cannot tell apart; none without one.

    A change that does something else in company than alone is flagged with each of the others.

    Raises:
        BadInput: Nothing is flagged.
        RecordError: It is no run directory.
    """
    if directory is None:
        return ()
    run = results.load(directory)
    interactions = run.interactions()
    rows = flagged(headline_rows(interactions)) if len(interactions) else interactions
    names = [factor.name for factor in run.analysis.study.factors]
    found: dict[tuple[str, ...], None] = {}
    for row in rows.to_dict("records"):
        pairs = [tuple(sorted(row["factor"].split("+")))]
        if len(pairs[0]) == 1:
            pairs = [tuple(sorted((pairs[0][0], other))) for other in names if other != pairs[0][0]]
        found |= dict.fromkeys(pairs)
    if not found:
        raise BadInput(
            f"--follow-up {directory}: no interaction is flagged there; expected a run whose arms"
            " have several changes, of which two do more or less together than apart"
        )
    return tuple(found)

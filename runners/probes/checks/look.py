"""Every check of every source of claims, one after the other; one that fails takes no other with it."""

import traceback
from typing import Any

from ablations.claims import Check
from results.records.record import Measurement
from runners import claims
from runners.outcomes import Findings, each_arm
from runners.probes import Result
from runners.trial import Trial, TrialArm


def run(trial: Trial) -> Result:
    """Look once; what is seen belongs to no arm in particular."""
    return Result(each_arm(trial, _look))


def _look(_: Trial, __: TrialArm) -> Findings:
    checks = [check for source in claims.sources().values() for check in source.checks]
    seen = {check.name: _seen(check) for check in checks}
    held = sum(bool(one["holds"]) for one in seen.values())
    return Findings(
        (Measurement("checks_held", (float(held),), source="observed", device="cpu"),),
        details={"more": {"checks": seen}},
    )


def _seen(check: Check) -> dict[str, Any]:
    try:
        found = check.look()
    except Exception as error:  # noqa: BLE001 - a check may fail in any way
        line = traceback.format_exception_only(error)[-1].strip()
        return {"holds": None, "measured": f"the check failed: {line}"}
    return {"holds": found.holds, "measured": found.measured}

"""Sources of claims, and what a study makes of them: which arm and workload decide each."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.claims import Claim, Source
from ablations.factor import format_level
from results.records.declared_claim import DeclaredClaim
from results.records.resolved_study import Arm, Workload
from runners.registry import Registry

if TYPE_CHECKING:
    from runners.study import Study

REGISTRY = Registry(
    "ablations.claims",
    "SOURCE",
    "source of claims",
    Source,
    lambda source: source.name,
    parts=("claim", lambda source: [*(c.name for c in source.claims), *(c.name for c in source.checks)]),
)
CHECKS = "checks"
"""The kind of workload that checks are run by."""
_WORDS = {"lower": "{} {} is lower", "higher": "{} {} is higher", "unchanged": "{} {} stays as it is"}


def sources() -> dict[str, Source]:
    """Every source by name."""
    return REGISTRY.all()


def files() -> tuple[Path, ...]:
    """The files that sources are written in."""
    return tuple(REGISTRY.source(name) for name in sources())


def declared(
    study: "Study", names: Iterable[str], workloads: Sequence[Workload], arms: Sequence[Arm]
) -> Iterator[DeclaredClaim]:
    """The claims of some sources, each tied to what decides it in a study.

    Args:
        study: The study.
        names: The sources.
        workloads: The resolved workloads.
        arms: The arms.
    """
    checks = next((workload.name for workload in workloads if workload.kind == CHECKS), "")
    for name in names:
        source = REGISTRY.get(name)
        for claim in source.claims:
            yield _tied(study, source, claim, workloads, arms)
        for check in source.checks:
            why = "" if checks else "this study has no workload of kind checks"
            yield DeclaredClaim(
                *(check.name, source.title, check.statement, "check", check.predicted),
                workload=checks,
                reason=why,
            )
        for number, (statement, reason) in enumerate(source.not_here.items(), start=1):
            yield DeclaredClaim(
                f"{source.name}-not-here-{number}", source.title, statement, "check", "", reason=reason
            )


def _tied(
    study: "Study", source: Source, claim: Claim, workloads: Sequence[Workload], arms: Sequence[Arm]
) -> DeclaredClaim:
    factor, level = claim.change
    arm, turned, reason = _arm(study, claim, arms)
    measured = [w for w in workloads if w.kind == claim.kind and w.stands_in_headlines and arm in w.variants]
    if not reason and not measured:
        reason = f"this study has no workload of kind {claim.kind}"
    return DeclaredClaim(
        claim.name,
        source.title,
        claim.statement,
        claim.predicted,
        _predicted(claim, f"{factor}={level}"),
        workload="" if reason else measured[0].name,
        arm="" if reason else arm,
        metric=claim.metric,
        mode=claim.mode,
        turned=turned,
        smallest=claim.smallest,
        original=reported(claim),
        reason=reason,
    )


def _arm(study: "Study", claim: Claim, arms: Sequence[Arm]) -> tuple[str, bool, str]:
    """The arm that decides, whether it takes the change back, and else why there is none."""
    factor, *_ = claim.change
    if claim.architecture and claim.architecture != study.architecture.name:
        return "", False, f"about {claim.architecture}, which `ablate run {claim.architecture}` trains"
    if factor not in study.factors:
        return "", False, f"this study does not compare {factor}"
    of = study.architecture.factor(factor)
    try:
        made, instead = (format_level(of.parse(text)) for text in (claim.change[1], claim.instead_of))
    except ValueError:
        return "", False, f"{factor} of {study.architecture.name} has other levels than these"
    first, *others = study.factors[factor]
    for baseline, level, turned in ((instead, made, False), (made, instead, True)):
        if first == baseline and level in others:
            found = next((arm.name for arm in arms if arm.changes == {factor: level}), "")
            return found, turned, "" if found else f"no arm changes {factor} alone"
    return "", False, f"this study does not set {factor} = {made} against {instead}"


def _predicted(claim: Claim, change: str) -> str:
    """`with relu=inplace peak_bytes in training is lower`, and by how much at least."""
    if claim.predicted == "the same bits":
        return f"{claim.metric} with {change} is the same in every bit"
    mode = {"train": " in training", "inference": " in inference"}.get(claim.mode or "", "")
    said = _WORDS[claim.predicted].format(f"{claim.metric}{mode}", f"with {change}")
    return f"{said}, by {100 * claim.smallest:.0f} % at least" if claim.smallest else said


def reported(claim: Claim) -> str:
    """The source's own figure with its context; "" where it gives none."""
    original = claim.original
    if original is None:
        return ""
    size = f"{original.image_size} px" if original.image_size else ""
    where = ", ".join(part for part in (original.network, original.data, size, original.device) if part)
    return f"{original.figures} ({where})" if where else original.figures

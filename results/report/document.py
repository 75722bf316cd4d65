"""A whole report before it is laid out: its head, its alerts, its sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from results.report.section import Alert, Figure, Group, Part
from results.report.topics import topics
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.contexts import described


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the first section.

    Attributes:
        name: Of the study.
        question: What it asks.
        eyebrow: Study, architecture and design.
        lead: How much was run, and what holds for all of it.
        contexts: The contexts of the workloads, in words.
        footer: What identifies the study.
    """

    name: str
    question: str
    eyebrow: str
    lead: str
    contexts: Sequence[str]
    footer: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A section in its place.

    Attributes:
        anchor: Unique on the page.
        title: Heading, with the environment where there are several.
        parts: What everyone reads.
        evidence: What some look up, closed at the end of the page.
    """

    anchor: str
    title: str
    parts: Sequence[Part]
    evidence: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A report.

    Attributes:
        head: What stands above.
        alerts: What must be known first, the gravest at the top.
        sections: Those that have anything to show, in order.
        data: Frames by the name of their CSV file.
    """

    head: Head
    alerts: Sequence[Alert]
    sections: Sequence[Laid]
    data: Mapping[str, pd.DataFrame]

    @property
    def figures(self) -> list[Figure]:
        """Every figure, in order."""
        return [
            figure for section in self.sections for figure in _figures([*section.parts, *section.evidence])
        ]


def _figures(parts: Sequence[Part]) -> list[Figure]:
    found: list[Figure] = []
    for part in parts:
        if isinstance(part, Figure):
            found.append(part)
        elif isinstance(part, Group):
            found += _figures(part.parts)
    return found


def document(run: Analysis) -> Document:
    """Let every topic say what it has to say of a run."""
    alerts: list[Alert] = []
    laid: list[Laid] = []
    data: dict[str, pd.DataFrame] = {}
    several = len(run.names) > 1
    for topic in topics():
        for place, name in enumerate((run.names or ("",)) if topic.per_environment else ("",)):
            section = topic.build(run, name)
            here = name if several and topic.per_environment else ""
            alerts += section.alerts
            data |= section.data
            if section.parts or section.evidence:
                anchor = topic.name if place == 0 or not here else f"{topic.name}-{here}"
                title = section.title or topic.title
                parts, evidence = (_suffixed(found, here) for found in (section.parts, section.evidence))
                laid.append(Laid(anchor, f"{title} on {here}" if here else title, parts, evidence))
    anchors = {section.anchor for section in laid}
    known = [alert for alert in alerts if alert.link in anchors or not alert.link]
    unknown = [replace(alert, link="") for alert in alerts if alert.link and alert.link not in anchors]
    ordered = sorted([*known, *unknown], key=lambda alert: not alert.grave)
    return Document(_head(run), ordered, laid, data)


def _suffixed(parts: Sequence[Part], environment: str) -> list[Part]:
    """Figures of several environments have names of their own."""
    if not environment:
        return list(parts)
    found: list[Part] = []
    for part in parts:
        match part:
            case Figure():
                found.append(replace(part, name=f"{part.name}-{environment}"))
            case Group():
                found.append(replace(part, parts=_suffixed(part.parts, environment)))
            case _:
                found.append(part)
    return found


def _head(run: Analysis) -> Head:
    study = run.study
    contexts = [
        f"{w.name}: {described(study, w)}" for w in study.workloads if w.variants and w.kind != "complexity"
    ]
    trials = int(run.outcomes["trial"].nunique())
    lead = (
        f"{text.count(trials, 'trial')}. Every choice is set against the same baseline, and every number "
        "carries the interval it is known to. A verdict holds in the context that stands above it, and "
        "nowhere else is promised."
    )
    if not study.workloads:
        lead = "No network was run here: the report holds imported benchmarks alone."
    eyebrow = f"{study.name} · {study.architecture} · {study.design}"
    return Head(study.name, study.question, eyebrow, lead, contexts, f"Study {study.digest}.")

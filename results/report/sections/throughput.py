"""Time: how fast each change is, and what disturbed the timing."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from results import plots
from results.report import speed_tables as tables
from results.report import timing_diagnostics
from results.report.control_words import duplicates_that_differ
from results.report.disturbances import warnings
from results.report.drawing import arms_to_draw
from results.report.findings import findings
from results.report.section import (
    Alert,
    Bullets,
    Figure,
    Group,
    Paragraph,
    Part,
    Section,
    Topic,
    words,
)
from results.report.sections.occasions import populations
from results.tables.analysis import Analysis

_MEANING = (
    "Geometric means over processes of the median over a process's rounds: what this machine did at the "
    "time. Which arm is faster, and whether the difference is more than noise, stands in the effects, "
    "where arms are compared round by round."
)
_ALONE = (
    "Arms that take turns in one process share caches and memory. In a spot check each ran alone; the "
    "effects of the two are compared by Welch's test, adjusted over all arms and modes. Agreement says "
    "that so many processes show no difference, not that there is none."
)


def build(run: Analysis, environment: str) -> Section:
    """Time in one environment; empty where nothing was timed."""
    frames = {
        "throughput": run.speed,
        "isolation": run.isolation,
        "machine": run.machine,
        "diagnostics": run.diagnostics,
    }
    data = {name: frame for name, frame in frames.items() if len(frame)}
    speed = _of(run.speed, environment)
    if speed.empty:
        return Section(data=data)
    told = (_of(frame, environment) for frame in (run.stretches, run.timed_arms, run.isolation))
    disturbed = [*warnings(*told), *timing_diagnostics.unsound(_of(run.diagnostics, environment))]
    many = "thing" if len(disturbed) == 1 else "things"
    said = f"{len(disturbed)} {many} stood in the way of timing."
    alerts = [Alert("Read the times with care.", said, disturbed, link="throughput")] if disturbed else []
    return Section(_parts(run, environment, speed), alerts, data, evidence=list(_evidence(run, environment)))


def _of(frame: pd.DataFrame, environment: str) -> pd.DataFrame:
    return frame[frame["environment"] == environment]


def _parts(run: Analysis, environment: str, speed: pd.DataFrame) -> list[Part]:
    effects = _of(run.effects, environment)
    effects = effects[effects["kind"] == "throughput"]
    main = effects[~effects["workload"].isin(_beside(run))]
    said = [*findings(run, main), *duplicates_that_differ(effects)]
    holds = populations(_of(run.occasions, environment))
    return [
        *([Bullets(said)] if said else []),
        *_figures(run, speed),
        *([Paragraph(holds)] if holds else []),
    ]


def _beside(run: Analysis) -> set[str]:
    """Workloads at other batches, and spot checks."""
    return {w.name for w in run.study.workloads if w.belongs_to("spot_check") or w.belongs_to("sweep")}


def _evidence(run: Analysis, environment: str) -> Iterator[Part]:
    yield words(_MEANING)
    beside, speed = _beside(run), _of(run.speed, environment)
    groups = [group for _, group in speed.groupby(["workload", "mode", "device"], sort=False)]
    mine = [tables.speed_table(group) for group in groups if group["workload"].iloc[0] not in beside]
    yield Group("The speed of every change, phase by phase", mine, folded=True)
    others = [tables.speed_table(group) for group in groups if group["workload"].iloc[0] in beside]
    if others:
        yield Group("At other batches, and alone in a process", others, folded=True)
    isolation = _of(run.isolation, environment)
    if len(isolation):
        yield Group("Alone in a process", [words(_ALONE), tables.isolation_table(isolation)])
    checked = timing_diagnostics.in_words(_of(run.diagnostics, environment))
    if checked:
        yield checked
    machine = tables.machine_table(_of(run.machine, environment))
    if machine.rows:
        yield machine


def _figures(run: Analysis, speed: pd.DataFrame) -> Iterator[Figure]:
    """What is inert is not drawn."""
    idle = run.effects[run.effects["inert"]]
    inert = set(zip(idle["environment"], idle["workload"], idle["arm"], strict=True))
    places = zip(speed["environment"], speed["workload"], speed["arm"], strict=True)
    table = speed[pd.Series([place not in inert for place in places], index=speed.index, dtype=bool)]
    effects = run.effects[run.effects["environment"].isin(speed["environment"])]
    references = [arm.name for arm in run.study.arms if arm.role != "arm"]
    table = table[table["arm"].isin([*references, *arms_to_draw(effects)])]
    if table["images_per_second"].isna().all():
        return
    arms = ", ".join(dict.fromkeys(table[table["role"] != "control"]["arm"]))
    title = "How long does an image take, and which phase of the step takes it?"
    alt = f"Bar chart: time per image and images per second for {arms}."
    yield Figure(
        "throughput", title, alt, partial(plots.image_seconds, table[~table["workload"].isin(_beside(run))])
    )
    swept = table[table["sweep"] != ""]
    if len(swept):
        alt = f"Line chart: images per second against the batch size for {arms}."
        yield Figure(
            "batch-sweep",
            "Does a larger batch help? Images per second over the batch size",
            alt,
            partial(plots.batch_sweep, swept),
        )


TOPIC = Topic("throughput", "Throughput", 40, build, summary="speeds and disturbances")

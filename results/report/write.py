"""Write the report of a run directory."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from results import plots
from results.frames.benchmarks import newest
from results.frames.memory_profiles import most_changed, preferred
from results.report import content
from results.report.building_blocks import blocks_sections
from results.report.render import html, markdown
from results.report.throughput import throughput_figures
from results.report.words import Phrase
from results.run import Run, load
from results.tables.headline import headline, headline_cells, noise_line


@dataclass(frozen=True, slots=True)
class Report:
    """What a terminal says about a report that was written.

    Attributes:
        index: The page.
        faults: Why the report, or a part of it, is invalid; empty if it stands.
        missing: Arms with fewer blocks on record than planned.
        failed: Outcomes that are not `ok`, as `Run.trials` gives them.
        headline: Headline table, one row per arm; `results.headline.headline`.
        cells: The same, one row per cell with its verdict; `results.headline.headline_cells`.
        answers: For each arm what it costs and buys, as (leading word, text).
        undecided: Number of effects that are inconclusive for want of blocks.
        building_blocks: Imported benchmarks at the last version of the code; `Run.building_blocks`.
        warnings: What disturbed the timing and what to do about it, the gravest first.
        noise_floor: The noise floor of the headline metrics in words; empty where none varies.
    """

    index: Path
    faults: tuple[str, ...]
    missing: pd.DataFrame
    failed: pd.DataFrame
    headline: pd.DataFrame
    cells: pd.DataFrame
    answers: tuple[tuple[str, list[Phrase]], ...]
    undecided: int
    building_blocks: pd.DataFrame
    warnings: tuple[str, ...] = ()
    noise_floor: str = ""

    @property
    def valid(self) -> bool:
        """Whether every A/A control and every check of determinism held."""
        return not self.faults


def write_report(run_dir: Path) -> Report:
    """Write `report/` of a run directory: page, Markdown, figures and tables.

    Raises:
        RecordError: It is no run directory, or a file in it is not what it should be.
    """
    run = load(run_dir)
    target = Path(run_dir) / "report"
    _write_tables(run, target / "tables")
    names = sorted(run.outcomes["environment"].unique())
    sections = [content.environment_section(run, name) for name in names]
    for section in sections:
        suffix = f"-{section.name}" if len(sections) > 1 else ""
        section.figures.extend(_write_figures(run, section.name, target / "figures", suffix))
    given = _context(run, sections)
    blocks = newest(run.building_blocks())
    given["building_blocks"] = blocks_sections(run)
    for part in given["building_blocks"]:
        suffix = f"-{part.environment}" if len(given["building_blocks"]) > 1 else ""
        here = blocks[blocks["environment"] == part.environment]
        part.figures.extend(_write_blocks_figure(here, target / "figures", suffix))
    html(target / "index.html", given | {"image": _embed(target / "figures")})
    markdown(target / "report.md", given)
    effects = run.effects()
    trials = run.trials()
    return Report(
        index=target / "index.html",
        faults=tuple(given["faults"]),
        missing=run.missing(),
        failed=trials[trials["status"] != "ok"].reset_index(drop=True),
        headline=headline(effects),
        cells=headline_cells(effects),
        answers=tuple(
            (f"{arm} on {section.name}" if len(sections) > 1 else arm, phrases)
            for section in sections
            for arm, _, phrases in section.answers
        ),
        undecided=sum(len(section.undecided.rows) for section in sections),
        building_blocks=blocks,
        warnings=tuple(run.warnings()),
        noise_floor=noise_line(effects),
    )


def _context(run: Run, sections: list[content.EnvironmentSection]) -> dict[str, Any]:
    return {
        "study": run.study,
        "digest": run.study.digest,
        "sections": sections,
        "faults": content.faults(run),
        "missing": content.missing(run),
        "failed": content.failed(run),
        "inert": content.inert(run),
        "methods": content.methods(run),
        "metrics": content.metrics(run),
        "environments": content.environments(run),
        "with_memory": [section.name for section in sections if section.memory],
        "with_throughput": [section.name for section in sections if section.throughput],
        "warnings": run.warnings(),
        "trials": int(run.outcomes["trial"].nunique()),
    }


def _write_tables(run: Run, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "effects": run.effects(),
        "interactions": run.interactions(),
        "variants": run.variants(),
        "claims": run.claims(),
        "trials": run.trials(),
    }
    timed = {
        "throughput": run.throughput(),
        "isolation": run.isolation(),
        "machine": run.machine(),
    }
    tables |= {name: table for name, table in timed.items() if len(table)}
    if run.imported:
        tables |= {
            "building_blocks": run.building_blocks(),
            "building_block_changes": run.building_block_changes(),
        }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)


def _write_figures(run: Run, environment: str, folder: Path, suffix: str) -> list[tuple[str, str, str]]:
    """Draw and save what there is to draw; name, title and alternative text of each figure."""
    effects, noise, curves = (
        frame[frame["environment"] == environment] for frame in (run.effects(), run.noise_floor(), run.curves)
    )
    better: dict[str, str] = {metric.name: metric.better for metric in run.study.metrics}
    kinds = set(effects["kind"])
    arms = ", ".join(dict.fromkeys(effects[effects["factor"] != "(control)"]["arm"]))
    drawn: dict[str, tuple[Figure, str, str]] = {
        "effects": (
            plots.forest(effects, noise),
            "Every effect with its interval",
            f"Forest plot: change against the baseline with simultaneous 95 % intervals for {arms}.",
        )
    }
    if {"throughput", "convergence"} <= kinds:
        alt = f"Scatter plot: relative step time against difference in accuracy for {arms}."
        drawn["tradeoff"] = (plots.tradeoff(effects), "What time buys in accuracy", alt)
    if "memory" in kinds:
        alt = f"Bar chart: peak memory of the baseline and of {arms}."
        drawn["memory"] = (plots.memory_bars(effects), "Memory, simulated beside measured", alt)
    drawn |= throughput_figures(run, environment)
    drawn |= _memory_figures(run, effects)
    if len(curves):
        alt = "Line chart: convergence curves by arm, mean over seeds with 95 % intervals."
        drawn["convergence"] = (plots.convergence_curves(curves, better, noise), "Convergence", alt)
    for name, (figure, _, _) in drawn.items():
        plots.save(figure, folder / f"{name}{suffix}")
    return [(f"{name}{suffix}", title, alt) for name, (_, title, alt) in drawn.items()]


def _write_blocks_figure(levels: pd.DataFrame, folder: Path, suffix: str) -> list[tuple[str, str, str]]:
    """Draw and save building blocks, where any level was timed beside a baseline."""
    compared = levels[levels["effect"].notna()]
    if compared.empty:
        return []
    name = f"building-blocks{suffix}"
    plots.save(plots.building_blocks(levels), folder / name)
    shown = ", ".join(
        f"{row.level} ({row.block})" for row in compared.drop_duplicates(["block", "level"]).itertuples()
    )
    alt = f"Forest plot: time of a call against the baseline with simultaneous 95 % intervals for {shown}."
    return [(name, "Building blocks, each level against its group's baseline", alt)]


def _memory_figures(run: Run, effects: pd.DataFrame) -> dict[str, tuple[Figure, str, str]]:
    """The figures of memory profiles; none where none was recorded. What is inert is not drawn."""
    profiles = run.memory_profiles
    profiles = profiles[profiles["environment"].isin(effects["environment"])]
    profiles = profiles[profiles["role"] != "control"]
    if profiles.empty:
        return {}
    idle = effects[effects["inert"].astype(bool)]
    inert = set(zip(idle["workload"], idle["arm"], strict=True))
    pairs = zip(profiles["workload"], profiles["arm"], strict=True)
    profiles = profiles[[pair not in inert for pair in pairs]]
    arms = ", ".join(dict.fromkeys(profiles["arm"]))
    drawn = {
        "memory-categories": (
            plots.memory_categories(profiles),
            "What is alive at the peak",
            f"Stacked bar chart: bytes alive at the peak by category for {arms}.",
        )
    }
    steps = preferred(profiles[profiles["mode"] == "train"])
    two = [most_changed(group) for _, group in steps.groupby("workload", sort=False)]
    if any(len(rows) for rows in two):
        shown = "; ".join(
            f"{' and '.join(rows['arm'])} [{rows['workload'].iloc[0]}]" for rows in two if len(rows)
        )
        drawn["memory-timeline"] = (
            plots.memory_timeline(profiles),
            "Live bytes over a training step: the baseline, and the arm whose peak differs most",
            f"Line chart: live bytes over the operations of a training step, phases marked, for {shown}.",
        )
        drawn["memory-saved"] = (
            plots.memory_saved(profiles),
            "What the forward pass keeps for the backward pass, by module",
            f"Paired bar chart: bytes saved for backward by top-level module for {shown}.",
        )
    return drawn


def _embed(folder: Path) -> Any:
    """Figures as data URIs: an SVG in an `img` shares no ids with another and loads nothing."""

    def image(name: str) -> str:
        encoded = base64.b64encode((folder / f"{name}.svg").read_bytes()).decode("ascii")
        return f"data:image/svg+xml;base64,{encoded}"

    return image

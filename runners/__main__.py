"""The command line: parse, wire, exit code.

What needs PyTorch is imported inside the command that needs it.
"""

import json
import os
import re
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from results.records.files import RecordError
from results.records.resolved_study import ResolvedStudy, read_study
from runners.errors import BadInput

if TYPE_CHECKING:
    from results.report import Report
    from runners.benchmark_import import Files

PIPED_WIDTH = 160
"""Columns where nobody says how wide the screen is."""
MOST_WARNINGS = 5
"""A terminal shows so many; the report has all."""

DONE, SOME_FAILED, BAD_INPUT, OUR_FAULT, INTERRUPTED = 0, 1, 2, 4, 130

app = typer.Typer(
    help="""Does this architecture detail matter? Measure what it costs and what it buys.

    Start with `ablate run` (the quick study: minutes on two cores), then open the report it names.
    A variant is written ARCHITECTURE:factor=level,..., e.g. resnet:depth=50,stem=deep64,norm=none;
    `ablate list factors` has them all.""",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

_STYLES = {"better": "green", "worse": "red", "equivalent": "dim", "invalid": "bold red"}

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Plugin = Annotated[
    list[Path] | None, typer.Option("--plugin", help="A Python file with architectures of your own.")
]


@app.command("list")
def list_(
    what: Annotated[
        str, typer.Argument(help="architectures, factors, datasets, metrics, studies or workloads.")
    ],
    *,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """List what there is: architectures, factors, data sets, metrics, studies, the keys of workloads."""
    from runners.terminal import listings

    _load_plugins(plugin)
    rows = listings.rows(what)
    if as_json:
        _print_json(rows)
    else:
        _print_table(what, rows)


@app.command()
def show(
    variant: Annotated[str, typer.Argument(help="E.g. resnet:depth=50,stem=deep64.")],
    *,
    image_size: Annotated[int, typer.Option(min=1, max=8192, help="Height and width in pixels.")] = 224,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Show a variant: its levels, and its parameters, MACs and activations as observed for one image."""
    from runners.terminal import listings

    _load_plugins(plugin)
    facts = listings.show(variant, image_size)
    if as_json:
        _print_json(facts)
        return
    levels = facts.pop("levels")
    _print_table(
        facts["variant"], [{"figure": key, "value": _thousands(value)} for key, value in facts.items()]
    )
    _print_table("levels", [{"factor": name, "level": level} for name, level in levels.items()])


@app.command()
def memory(
    variant: Annotated[str, typer.Argument(help="E.g. resnet:depth=50,stem=deep64.")],
    *,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 32,
    image_size: Annotated[int, typer.Option(help="Height and width in pixels.")] = 224,
    mode: Annotated[str, typer.Option(help="train or inference.")] = "train",
    optimizer: Annotated[str, typer.Option(help="sgd or adamw.")] = "sgd",
    momentum: Annotated[float, typer.Option(help="Of SGD; 0 keeps no state.")] = 0.9,
    precision: Annotated[str, typer.Option(help="fp32, bf16-autocast or bf16.")] = "fp32",
    target: Annotated[
        str, typer.Option(help="cuda or cpu: whose allocator and defaults to simulate.")
    ] = "cuda",
    measure: Annotated[
        bool, typer.Option("--measure", help="Run the step here and read the allocator.")
    ] = False,
    against: Annotated[str | None, typer.Option(help="A variant to explain the difference to.")] = None,
    fit: Annotated[
        str | None, typer.Option(help="Largest batch for cards of these sizes: 24GiB,80GiB.")
    ] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Say what a step needs in memory, simulated for a device that need not be there, and why."""
    from runners import devices
    from runners.memory import answer as memory_answers

    _load_plugins(plugin)
    if target not in ("cuda", "cpu"):
        raise BadInput(f"--target {target!r}: expected cuda or cpu")
    found = memory_answers.answer(
        variant,
        batch_size=batch_size,
        image_size=image_size,
        settings={"mode": mode, "optimizer": optimizer, "momentum": momentum, "precision": precision},
        target="cuda" if target == "cuda" else "cpu",
        measure_on=devices.resolve("auto") if measure else None,
        against=against,
        fit=fit,
    )
    if as_json:
        _print_json(found)
    else:
        _print_memory(found)


@app.command()
def plan(
    study: Annotated[
        str, typer.Argument(help="A built-in study (`ablate list studies`) or a .toml file.")
    ] = "quick",
    *,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    as_json: Json = False,
) -> None:
    """Print every trial that a study would run, with its forecast in seconds; run no trial."""
    from runners import devices
    from runners import study as studies
    from runners.machine_speed import macs_per_second
    from runners.plan import forecast_seconds
    from runners.plan import plan as make_plan
    from runners.run import cores

    resolved = devices.resolve(device)
    planned = make_plan(
        studies.load(study), device=resolved, cores=cores(), macs_per_second=macs_per_second(resolved)
    )
    rows = [
        {
            "trial": trial.id,
            "workload": trial.workload.name,
            "block": trial.block,
            "arms": [arm.name for arm in trial.arms],
            "wave": trial.wave,
            "runs": "while imprecise" if trial.optional else "always",
            "estimated_seconds": round(trial.estimated_seconds, 1),
        }
        for trial in planned.trials
    ]
    if as_json:
        _print_json(rows)
        return
    _print_table(study, rows)
    fewest = [trial for trial in planned.trials if not trial.optional]
    seconds = f"{len(fewest)} trials, about {forecast_seconds(fewest, cores()):.0f} s on {cores()} cores"
    if len(fewest) < len(planned.trials):
        seconds += (
            f"; up to {len(planned.trials)} trials, {forecast_seconds(planned.trials, cores()):.0f} s,"
            " while intervals are wider than declared"
        )
    _console().print(seconds)


@app.command()
def run(
    study: Annotated[
        str, typer.Argument(help="A built-in study (`ablate list studies`) or a .toml file.")
    ] = "quick",
    *,
    out: Annotated[Path | None, typer.Option(help="Run directory; runs/STUDY by default.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    dataset: Annotated[
        str | None, typer.Option(help="Train on this data set instead of the study's.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="Seeds (and timed processes); 6 at least for a verdict."),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Limit on what a workload with half_width adds beyond its fewest processes: 90s, 10m, 2h."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Untimed trials side by side; one a core by default.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed trials again.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew; an earlier run is moved aside, not deleted.")
    ] = False,
    imported: Annotated[
        list[Path] | None,
        typer.Option("--import", help="Benchmarks for the same report: pytest-benchmark's JSON."),
    ] = None,
) -> int:
    """Run a study and write its report. Run again, it goes on where it stopped."""
    from runners import devices
    from runners import study as studies
    from runners.durations import parse_duration
    from runners.machine_speed import macs_per_second
    from runners.plan import plan as make_plan
    from runners.run import Options, cores, execute, set_aside
    from runners.terminal.progress import Display

    console = _console()
    benchmarks = _read_benchmarks(imported)
    resolved = devices.resolve(device)
    planned = make_plan(
        studies.load(study, studies.Overrides(dataset=dataset, replicates=seeds)),
        device=resolved,
        cores=cores(),
        budget_seconds=parse_duration(budget, "--budget") if budget else None,
        macs_per_second=macs_per_second(resolved),
    )
    directory = out or Path("runs") / planned.study.name
    options = Options(_writable(directory), resolved, jobs or cores(), retry_failed)
    if fresh and (moved := set_aside(directory)):
        console.print(f"the earlier run is kept in {moved}", markup=False, highlight=False)
    execute(planned, options, lambda tasks, count: Display(console, tasks, count, options.jobs))
    _store_benchmarks(directory, benchmarks)
    return _report(directory)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="What `pytest --benchmark-json FILE` wrote.")],
    *,
    into: Annotated[Path, typer.Option(help="A run directory; made if there is none.")] = Path(
        "runs/building-blocks"
    ),
) -> int:
    """Import benchmarks (pytest-benchmark's JSON) into a run's report; needs no PyTorch."""
    benchmarks = _read_benchmarks(files)
    if (_writable(into, "--into") / "study.json").is_file():
        read_study(into)
    _store_benchmarks(into, benchmarks)
    return _report(into)


@app.command()
def report(directory: Annotated[Path, typer.Argument(help="A run directory, e.g. runs/quick.")]) -> int:
    """Write the report of a run directory again, from its records; needs no PyTorch."""
    return _report(directory)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A run directory.")],
    second: Annotated[Path, typer.Argument(help="Another one, e.g. of another machine.")],
    *,
    as_json: Json = False,
) -> None:
    """Compare the effects that two runs found, verdict by verdict; needs no PyTorch."""
    import results
    from results.compare import compare as compare_runs

    frame = compare_runs(results.load(first), results.load(second))
    if as_json:
        typer.echo(frame.to_json(orient="records", indent=1))
    else:
        blank = frame.astype(object).where(frame.notna(), "")
        names = [str(column) for column in blank.columns]
        rows = [dict(zip(names, row, strict=True)) for row in blank.to_numpy().tolist()]
        _print_table(f"{first} and {second}", rows)


def _print_memory(found: dict[str, Any]) -> None:
    """Figures, then what makes up the peak, then the explanation and the cards."""
    from results.tables.format import value as formatted

    def size(nbytes: object) -> str:
        return formatted(float(nbytes), "bytes") if isinstance(nbytes, int) else _text(nbytes)

    figures = {
        key.removesuffix("_bytes").replace("_", " "): size(entry)
        if key.endswith("_bytes")
        else _thousands(entry)
        for key, entry in found.items()
        if entry is not None and not isinstance(entry, dict | list) and key != "variant"
    }
    _print_table(found["variant"], [{"figure": key, "value": entry} for key, entry in figures.items()])
    for key, entry in found.get("layers", {}).items():
        shown = (
            ", ".join(f"{phase} {size(n)}" for phase, n in entry.items())
            if isinstance(entry, dict)
            else size(entry)
        )
        _console().print(
            f"{key.replace('_bytes', '').replace('_', ' ')}: {shown}", markup=False, highlight=False
        )
    for title, key in (("at the peak, by category", "by_category"), ("by module, the heaviest", "by_module")):
        parts = sorted(found[key].items(), key=lambda item: -item[1])[:12]
        _print_table(
            title, [{"part": part or "(model)", "memory": size(nbytes)} for part, nbytes in parts if nbytes]
        )
    if found.get("workspace_by_operator"):
        scratch = list(found["workspace_by_operator"].items())[:8]
        rows = [{"operator": operator, "most at once": size(nbytes)} for operator, nbytes in scratch]
        _print_table("scratch of the libraries, by the operator that asked for it", rows)
    if "against" in found:
        other = found["against"]
        _print_table(
            f"against {other['variant']}",
            [
                {
                    "category": t["category"],
                    "module": t["module"],
                    "shape": _text(t["shape"]),
                    "here": t["after"],
                    "there": t["before"],
                    "difference": size(t["nbytes"]),
                }
                for t in other["tensors"]
            ],
        )
        _console().print(other["reason"], markup=False, highlight=False)
    if "largest_batch_size" in found:
        rows = [
            {"card": card, "largest batch": batch if batch is not None else "not even one image"}
            for card, batch in found["largest_batch_size"].items()
        ]
        _print_table(f"largest batch, {found['safety_margin']:.0%} of the card left free", rows)
    if found["left_out"]:
        _console().print(
            "left out: " + "; ".join(found["left_out"]), style="dim", markup=False, highlight=False
        )


def _report(directory: Path) -> int:
    from results.report import write_report

    written = write_report(directory)
    _print_headline(written, read_study(directory))
    failed = written.failed["status"].ne("not_applicable").any()
    return SOME_FAILED if failed else DONE


def _print_headline(written: "Report", study: ResolvedStudy) -> None:
    """The answer in short: the table, what stands in the way of believing it, and where to read on."""
    console = _console()
    table = written.headline.reset_index()
    styles = {
        (cell["arm"], cell["column"]): _STYLES.get(cell["verdict"], "")
        for cell in written.cells.to_dict("records")
    }
    shown = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for column in table.columns:
        shown.add_column(escape(str(column)), overflow="fold", no_wrap=column == "arm")
    for row in table.to_dict("records"):
        arm = row["arm"]
        shown.add_row(
            *(
                f"[{style}]{escape(str(value))}[/]"
                if (style := styles.get((arm, column)))
                else escape(str(value))
                for column, value in row.items()
            )
        )
    if study.workloads:
        console.print(shown)
    for context in study.workloads:
        if context.kind != "complexity":
            console.print(f"{context.name}: {context.context}", style="dim", markup=False, highlight=False)
    if len(written.building_blocks):
        from runners.terminal.block_tables import block_tables

        for blocks in block_tables(written.building_blocks, _STYLES):
            console.print(blocks)
    console.print(
        "against the baseline: ▲ better  ▼ worse  ≈ equivalent within the margin  ? undecided", style="dim"
    )
    _print_trust(console, written)
    for fault in written.faults:
        console.print(f"INVALID: {fault}", style="bold red", markup=False)
    for (status, arm, workload, reason), count in _causes(written).items():
        times = f" ({count} trials)" if count > 1 else ""
        console.print(f"{status}: {arm} in {workload}{times}: {reason}", markup=False, highlight=False)
    if len(written.missing):
        console.print("the run is incomplete; the same command goes on where it stopped", style="yellow")
    console.print(f"report: {written.index}", markup=False, highlight=False, soft_wrap=True)


def _print_trust(console: Console, written: "Report") -> None:
    """How far the times can be trusted: the noise floor, and what disturbed them."""
    if written.noise_floor:
        console.print(f"noise floor (A/A): {written.noise_floor}", style="dim", markup=False, highlight=False)
    more = len(written.warnings) - MOST_WARNINGS
    for warning in written.warnings[: MOST_WARNINGS - (more > 0)]:
        console.print(f"warning: {warning}", style="yellow", markup=False, highlight=False)
    if more > 0:
        console.print(f"and {more + 1} more warnings: see the report", style="yellow", highlight=False)


def _causes(written: "Report") -> Counter[tuple[str, ...]]:
    """Status, arm, workload and reason of what is not `ok`, each once, with how often it occurred."""
    columns = written.failed[["status", "arm", "workload", "reason"]]
    return Counter(tuple(map(str, row)) for row in columns.to_numpy().tolist())


def _read_benchmarks(paths: list[Path] | None) -> "Files":
    if not paths:
        return []
    from runners.benchmark_import import read_all

    return read_all(paths)


def _store_benchmarks(directory: Path, files: "Files") -> None:
    if files:
        from runners.benchmark_import import import_into

        for line in import_into(directory, files):
            _console().print(line, markup=False, highlight=False, soft_wrap=True)


def _writable(directory: Path, option: str = "--out") -> Path:
    """The directory that an option names, once it is sure that a run can be written there.

    Raises:
        BadInput: It is a file, or holds something that is no run.
    """
    if directory.exists() and not directory.is_dir():
        raise BadInput(f"{option} {directory}: is a file; expected a directory, e.g. runs/mine")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / "study.json").is_file():
        raise BadInput(
            f"{option} {directory}: holds something that is no run; expected a new directory or a run's"
        )
    return directory


def _load_plugins(paths: Iterable[Path] | None) -> None:
    from ablations import load_plugin

    for path in paths or ():
        try:
            load_plugin(path)
        except ValueError as error:
            raise BadInput(str(error)) from error


def _console() -> Console:
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=1))


def _print_table(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(
        title=escape(title),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
    )
    for column in rows[0] if rows else ():
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(escape(_text(value)) for value in row.values()))
    _console().print(table)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _thousands(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _text(value)


def _usage(message: str) -> str:
    """The parser's complaint in one line, with the nearest command where it was a command."""
    line = " ".join(message.split())
    match = re.search(r"No such command '(.*)'", line)
    if match:
        names = sorted(
            command.name or command.callback.__name__
            for command in app.registered_commands
            if command.callback
        )
        close = get_close_matches(match[1], names, n=1)
        return f"{line} Did you mean {close[0]!r}?" if close else f"{line} One of: {', '.join(names)}."
    return line


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of the contract: 0, 1, 2, 4 or 130."""
    code = _main(arguments)
    if code == INTERRUPTED:
        typer.echo("ablate: interrupted; the same command goes on where this one stopped", err=True)
    sys.exit(code)


def _main(arguments: list[str] | None) -> int:
    try:
        code = app(arguments, standalone_mode=False, prog_name="ablate")
    except typer.TyperException as error:
        typer.echo(f"ablate: {_usage(error.format_message())}", err=True)
        return BAD_INPUT
    except BadInput as error:
        for line in error.lines:
            typer.echo(f"ablate: {line}", err=True)
        return BAD_INPUT
    except RecordError as error:
        typer.echo(f"ablate: {error}", err=True)
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever is left is our fault, and says so
        with tempfile.NamedTemporaryFile("w", prefix="ablate-", suffix=".txt", delete=False) as file:
            traceback.print_exc(file=file)
        typer.echo(f"ablate: {type(error).__name__}: our fault; the traceback is in {file.name}", err=True)
        return OUR_FAULT
    return code if isinstance(code, int) else DONE


if __name__ == "__main__":
    main()

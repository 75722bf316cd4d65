"""The command line: parse, wire, exit code.

What needs PyTorch is imported inside the command that needs it.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.errors import BadInput
from runners.paths import writable
from runners.terminal import options as given
from runners.terminal.ending import ENDINGS, ending
from runners.terminal.tables import console, print_json, print_line, print_table

if TYPE_CHECKING:
    from runners.benchmark_import import Files

app = typer.Typer(
    help="""Does this architecture detail matter? Measure what it costs and what it buys.

    Start with `ablate run` (the quick study: minutes on two cores), then open the report it names.
    A variant is written ARCHITECTURE:factor=level,..., e.g. resnet:depth=50,stem=deep64,norm=none;
    `ablate list factors` has them all.""",
    epilog=f"Exit codes: {'; '.join(f'{end.code} {end.meaning}' for end in ENDINGS)}.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ablate {version('architecture-ablations')}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


@app.command("list")
def list_(
    what: given.Listing,
    name: given.Of = None,
    *,
    plugin: given.Plugins = None,
    as_json: given.Json = False,
) -> None:
    """List what there is: architectures, factors, studies, the keys of workloads, metrics, and more."""
    from runners.terminal.listings import rows

    _load(plugin)
    found = rows(what, name)
    if as_json:
        print_json(found)
    else:
        print_table(what, found)


@app.command()
def show(
    variant: given.Variant,
    *,
    image_size: given.ImageSize = 224,
    plugin: given.Plugins = None,
    as_json: given.Json = False,
) -> None:
    """Show a variant: its levels, and its parameters, MACs and activations as observed for one image."""
    from runners.terminal.shown_variant import facts, print_facts

    _load(plugin)
    found = facts(variant, image_size)
    if as_json:
        print_json(found)
    else:
        print_facts(found)


@app.command()
def memory(
    variant: given.Variants,
    *,
    batch_size: given.BatchSize = 32,
    image_size: given.ImageSize = 224,
    mode: given.Mode = "train",
    optimizer: given.Optimizer = "sgd",
    momentum: given.Momentum = 0.9,
    precision: given.Precision = "fp32",
    target: given.Target = "cuda",
    measure: given.Measure = False,
    against: given.Against = None,
    each: given.Each = False,
    fit: given.Fit = None,
    plugin: given.Plugins = None,
    as_json: given.Json = False,
) -> int:
    """Say what a step needs in memory, simulated for a device that need not be there, and why.

    Of several variants, each is set against the first.
    """
    from runners import devices
    from runners.memory.answer import answers
    from runners.terminal.memory_tables import counted, print_memory, print_side_by_side

    _load(plugin)
    if target not in ("cuda", "cpu"):
        raise BadInput(f"--target {target!r}: expected cuda or cpu")
    if against is not None and (each or len(variant) > 1):
        raise BadInput("--against explains one variant; of several, each is set against the first")
    found = answers(
        variant,
        each=each,
        counted=counted,
        batch_size=batch_size,
        image_size=image_size,
        settings={"mode": mode, "optimizer": optimizer, "momentum": momentum, "precision": precision},
        target="cuda" if target == "cuda" else "cpu",
        measure_on=devices.resolve("auto") if measure else None,
        against=against,
        fit=fit,
        plugins=tuple(plugin or ()),
    )
    if as_json:
        print_json(found if len(found) > 1 else found[0])
    elif len(found) > 1:
        print_side_by_side(found)
    else:
        print_memory(found[0])
    return int(any("failed" in one for one in found))


@app.command()
def plan(
    study: given.Study = "quick",
    *,
    device: given.Device = "auto",
    dataset: given.Dataset = None,
    follow_up: given.FollowUp = None,
    budget: given.Budget = None,
    trials: given.Trials = False,
    plugin: given.Plugins = None,
    as_json: given.Json = False,
) -> None:
    """Print what a study would run, with a forecast: a line a workload. Run no trial."""
    from runners import devices
    from runners.budget import Budget
    from runners.follow_up import pairs_of
    from runners.machine_speed import macs_per_second, others_at_work
    from runners.plan import plan as make_plan
    from runners.run import cores
    from runners.study import Overrides, load
    from runners.terminal.plans import print_warnings, show_plan

    limit = Budget.of_this_process(budget)
    resolved = devices.resolve(device)
    overrides = Overrides(dataset=dataset, plugins=tuple(plugin or ()), pairs=pairs_of(follow_up))
    checked = load(study, overrides)
    busy = others_at_work(checked.workloads)
    planned = make_plan(checked, device=resolved, cores=cores(), macs_per_second=macs_per_second(resolved))
    show_plan(study, planned, cores(), limit, trials=trials, as_json=as_json)
    print_warnings(planned, busy)


@app.command()
def run(
    study: given.Study = "quick",
    *,
    out: given.Out = None,
    device: given.Device = "auto",
    dataset: given.Dataset = None,
    seeds: given.Seeds = None,
    follow_up: given.FollowUp = None,
    budget: given.Budget = None,
    jobs: given.Jobs = None,
    launcher: given.Launcher = "local",
    plugin: given.Plugins = None,
    retry_failed: given.RetryFailed = False,
    fresh: given.Fresh = False,
    again: given.Again = False,
    shard: given.Share = None,
    imported: given.Imported = None,
    expect: given.Expect = None,
    quiet: given.Quiet = False,
) -> int:
    """Run a study and write its report. Run again, it goes on where it stopped."""
    from runners import devices, expected, launchers
    from runners.benchmark_import import read_all
    from runners.budget import Budget, pace_here
    from runners.follow_up import pairs_of
    from runners.machine_speed import macs_per_second, others_at_work
    from runners.plan import plan as make_plan
    from runners.run import Options, cores, execute, set_aside
    from runners.shards import parse_shard
    from runners.study import Overrides, load
    from runners.terminal.plans import print_data, print_share, print_warnings
    from runners.terminal.progress import Display
    from runners.terminal.summary import show_end

    if again and fresh:
        raise BadInput("--again adds to a run and --fresh begins one; leave one of them out")
    limit = Budget.of_this_process(budget)
    mine = parse_shard(shard, "--shard")
    benchmarks, wanted = read_all(imported or []), expected.read(expect)
    resolved = devices.resolve(device)
    checked = load(study, Overrides(dataset, seeds, tuple(plugin or ()), pairs_of(follow_up)))
    busy = None if quiet else others_at_work(checked.workloads)
    launchers.get(launcher).prepare()  # which may be a plugin's; while the rest is planned
    planned = make_plan(checked, device=resolved, cores=cores(), macs_per_second=macs_per_second(resolved))
    limit = None if limit is None else replace(limit, pace=pace_here())
    wanted = expected.checked(wanted, (claim.name for claim in planned.study.claims))
    directory = out or Path("runs") / f"{planned.study.name}{mine.suffix if mine else ''}"
    options = Options(
        writable(directory, "--out"), resolved, jobs or cores(), retry_failed, launcher, again, limit, mine
    )
    if not quiet:
        print_data(planned)
        print_warnings(planned, busy)
    if fresh and (moved := set_aside(directory)) and not quiet:
        print_line(f"the earlier run is kept in {moved}")
    end = None if limit is None else limit.end
    execute(planned, options, partial(Display, console(), jobs=options.jobs, quiet=quiet, end=end))
    _import(directory, benchmarks, quiet=quiet)
    told = partial(print_share, study, planned, mine, directory) if mine is not None else None
    return show_end(directory, console(), told, wanted, quiet=quiet)


@app.command()
def new(directory: given.NewDirectory) -> None:
    """Begin a network, a data set, a metric and a study of your own: files that work as they are."""
    from runners.new import begin

    for path in begin(directory):
        print_line(str(path))
    print_line(f"next: ablate run {directory / 'study.toml'}, or python -m pytest {directory}")


@app.command("import")
def import_(
    files: given.Benchmarks, *, into: given.Into = Path("runs/building-blocks"), quiet: given.Quiet = False
) -> int:
    """Import benchmarks (pytest-benchmark's JSON) into a run's report; needs no PyTorch."""
    from results.records.resolved_study import read_study
    from runners.benchmark_import import read_all
    from runners.terminal.summary import show_report

    benchmarks = read_all(files)
    if (writable(into, "--into") / "study.json").is_file():
        read_study(into)
    _import(into, benchmarks, quiet=quiet)
    return show_report(into, console(), quiet=quiet)


@app.command()
def report(directory: given.Directory, *, plugin: given.Plugins = None, quiet: given.Quiet = False) -> int:
    """Write the report of a run directory again, from its records; needs no PyTorch."""
    from runners.terminal.summary import show_report

    _load(plugin)
    return show_report(directory, console(), quiet=quiet)


@app.command()
def merge(
    directories: given.Directories,
    *,
    out: given.MergedInto,
    apart: given.Apart = False,
    plugin: given.Plugins = None,
    quiet: given.Quiet = False,
) -> int:
    """Make one run of several of the same study, and write its report; needs no PyTorch."""
    from runners.terminal.merging import show_merge

    _load(plugin)
    return show_merge(directories, writable(out, "--out"), apart=apart, quiet=quiet)


@app.command()
def compare(first: given.Directory, second: given.Directory, *, as_json: given.Json = False) -> int:
    """Compare two runs, what changed first; the exit code 3 is a regression. Needs no PyTorch."""
    from runners.terminal.comparison import show_comparison

    return show_comparison(first, second, as_json=as_json)


@app.command()
def table(
    directory: given.Directory,
    *,
    form: given.Format = "md",
    metric: given.OfMetrics = None,
    workload: given.OfWorkloads = None,
    environment: given.OfEnvironments = None,
) -> None:
    """Print the headline table, to paste into a paper or a pull request. Needs no PyTorch."""
    from runners.terminal.headline_table import print_headline_table

    print_headline_table(directory, form, metric or (), workload or (), environment or ())


def _load(paths: Iterable[Path] | None) -> None:
    if paths:
        from runners import plugins

        plugins.load(paths)


def _import(directory: Path, files: "Files", *, quiet: bool) -> None:
    from runners.benchmark_import import import_into

    for line in import_into(directory, files):
        if not quiet:
            print_line(line)


def _main(arguments: list[str] | None) -> int:
    texts = sys.argv[1:] if arguments is None else arguments
    commands = [info.name or info.callback.__name__ for info in app.registered_commands if info.callback]
    return ending(lambda: app(given.checked(texts), standalone_mode=False, prog_name="ablate"), commands)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of the contract: 0, 1, 2, 3, 4 or 130."""
    sys.exit(_main(arguments))


if __name__ == "__main__":
    main()

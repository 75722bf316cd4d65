"""Options and arguments that commands share, and how they are completed; needs no PyTorch."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from runners.errors import LONGEST, BadInput
from runners.paths import usable
from runners.terminal.listings import LISTINGS


def checked(arguments: Sequence[str]) -> list[str]:
    """The arguments, once it is sure that all are text that can be printed and looked up.

    Raises:
        BadInput: Some are not; a line each.
    """
    wrong = [
        f"argument {place}: {ascii(text)[:LONGEST]}: expected text without NUL, in UTF-8"
        for place, text in enumerate(arguments, start=1)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)
    ]
    if wrong:
        raise BadInput(wrong)
    return list(arguments)


def _usable(param: typer.CallbackParam, value: Path | list[Path] | None) -> Path | list[Path] | None:
    """Refuse a path that the file system cannot hold, before anything is done with it."""
    option = param.opts[0] if param.opts[0].startswith("-") else (param.metavar or param.name or "").upper()
    for path in value if isinstance(value, list) else [value]:
        if path is not None:
            usable(path, option)
    return value


def complete_study(incomplete: str) -> Iterator[str]:
    """Names of studies; files are completed by the shell."""
    from runners import study_file

    yield from (name for name in study_file.studies() if name.startswith(incomplete))


def complete_listing(incomplete: str) -> Iterator[str]:
    """What there is to list."""
    yield from (name for name in LISTINGS if name.startswith(incomplete))


def complete_dataset(incomplete: str) -> Iterator[str]:
    """Names of data sets."""
    from runners import datasets

    names = (*datasets.datasets(), datasets.FOLDER)
    yield from (name for name in names if name.startswith(incomplete))


def complete_launcher(incomplete: str) -> Iterator[str]:
    """Names of launchers."""
    from runners import launchers

    yield from (name for name in launchers.launchers() if name.startswith(incomplete))


Listing = Annotated[
    str, typer.Argument(help=f"One of: {', '.join(LISTINGS)}.", autocompletion=complete_listing)
]
Of = Annotated[str | None, typer.Argument(help="Of factors: an architecture's own, e.g. timm.resnet18.")]
Variant = Annotated[str, typer.Argument(help="E.g. resnet:depth=50,stem=deep64.")]
Variants = Annotated[
    list[str],
    typer.Argument(
        metavar="VARIANT...", help="E.g. resnet:depth=50,stem=deep64; several are set side by side."
    ),
]
Study = Annotated[
    str,
    typer.Argument(
        help="A study's name (`ablate list studies`) or a .toml file.", autocompletion=complete_study
    ),
]
Directory = Annotated[Path, typer.Argument(help="A run directory, e.g. runs/quick.", callback=_usable)]
NewDirectory = Annotated[Path, typer.Argument(help="A new folder.", metavar="DIRECTORY", callback=_usable)]
Benchmarks = Annotated[
    list[Path], typer.Argument(help="What `pytest --benchmark-json FILE` wrote.", callback=_usable)
]
Directories = Annotated[
    list[Path], typer.Argument(metavar="DIRECTORY...", help="Run directories of one study.", callback=_usable)
]
MergedInto = Annotated[Path, typer.Option("--out", help="Where they become one.", callback=_usable)]
Apart = Annotated[
    bool, typer.Option("--apart", help="Keep environments that differ side by side, never pooled.")
]
Into = Annotated[Path, typer.Option(help="A run directory; made if there is none.", callback=_usable)]
Out = Annotated[Path | None, typer.Option(help="Run directory; runs/STUDY by default.", callback=_usable)]
Imported = Annotated[
    list[Path] | None,
    typer.Option(
        "--import", help="Benchmarks for the same report: pytest-benchmark's JSON.", callback=_usable
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="A Python file of your own, a folder of them, or an installed package's entry point:"
        " architectures, data sets, studies, ...; repeatable.",
        callback=_usable,
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Dataset = Annotated[
    str | None,
    typer.Option(
        help="Train on this instead of the study's: a name of `ablate list datasets`, or folder:PATH.",
        autocompletion=complete_dataset,
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(min=1, max=10_000, help="Seeds (and timed processes); 6 at least for a verdict."),
]
Budget = Annotated[
    str | None,
    typer.Option(
        help="How long it may take, report included: 90s, 10m, 2h. What decides most for its time is first;"
        " the same command goes on."
    ),
]
FollowUp = Annotated[
    Path | None,
    typer.Option(
        "--follow-up",
        help="A run directory of this study: 2x2s of the pairs that its report flags, on fresh seeds.",
        callback=_usable,
    ),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Untimed trials side by side; one a core by default.")
]
Launcher = Annotated[
    str, typer.Option(help="Where trials run: `ablate list launchers`.", autocompletion=complete_launcher)
]
Expect = Annotated[
    Path | None,
    typer.Option(
        help="Verdicts of claims as they should be (a claims.csv): the exit code 3 says that one flipped.",
        callback=_usable,
    ),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Run failed trials again.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start anew; an earlier run is moved aside, not deleted.")
]
Again = Annotated[
    bool,
    typer.Option(
        "--again",
        help="Time a finished run once more, hours or a restart later. With six such occasions, verdicts on "
        "time hold for the machine.",
    ),
]
Share = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="NUMBER/COUNT",
        help="Run one share of the study, e.g. 3/8, into runs/STUDY-3-of-8; `ablate merge` joins them.",
    ),
]
ImageSize = Annotated[int, typer.Option(min=1, max=8192, help="Height and width in pixels.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Images a step.")]
Mode = Annotated[str, typer.Option(help="train or inference.")]
Optimizer = Annotated[str, typer.Option(help="sgd or adamw.")]
Momentum = Annotated[float, typer.Option(min=0, max=1, help="Of SGD; 0 keeps no state.")]
Precision = Annotated[str, typer.Option(help="fp32, bf16-autocast or bf16.")]
Target = Annotated[str, typer.Option(help="cuda or cpu: whose allocator and defaults to simulate.")]
Measure = Annotated[bool, typer.Option("--measure", help="Run the step here and read the allocator.")]
Against = Annotated[str | None, typer.Option(help="A variant to explain the difference to.")]
Each = Annotated[
    bool,
    typer.Option(
        "--each",
        help="Also the first variant with each other level of each factor, one at a time, the least first:"
        " what saves most?",
    ),
]
Fit = Annotated[str | None, typer.Option(help="Largest batch for cards of these sizes: 24GiB,80GiB.")]
Format = Annotated[
    str, typer.Option("--format", help="md, latex (booktabs, threeparttable) or csv.", metavar="FORMAT")
]
OfMetrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="A headline metric to show, e.g. step_seconds; repeatable."),
]
OfWorkloads = Annotated[
    list[str] | None, typer.Option("--workload", help="A workload of the run to show; repeatable.")
]
OfEnvironments = Annotated[
    list[str] | None, typer.Option("--environment", help="An environment of the run to show; repeatable.")
]
Trials = Annotated[bool, typer.Option("--trials", help="Every trial instead of a line a workload.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print what went wrong and where the report is, nothing else.")
]

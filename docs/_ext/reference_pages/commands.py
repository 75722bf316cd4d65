"""A page for each command: what it does, its arguments and options, and how it can end."""

from collections.abc import Iterator
from inspect import cleandoc

from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.main import get_command

from reference_pages.markup import code, page, prose, table, toctree
from runners.__main__ import app
from runners.terminal.ending import ENDINGS


def pages() -> dict[str, str]:
    """The list of commands, and a page for each."""
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    commands = {name: command for name, command in program.commands.items() if not command.hidden}
    index = page(
        "# Commands",
        "`ablate` and `python -m runners` are the same program. `ablate COMMAND --help` says the same.",
        toctree(f"commands/{name}" for name in commands),
        "## How a command ends",
        "The exit code says it. Of several, the first of 2, 4, 3 and 1 is given.",
        table(
            ["code", "meaning", "commands"],
            [[str(end.code), prose(end.meaning), ", ".join(map(code, end.of)) or "all"] for end in ENDINGS],
        ),
    )
    described = {f"commands/{name}": _page(name, command) for name, command in commands.items()}
    return {"commands": index} | described


def _page(name: str, command: object) -> str:
    assert isinstance(command, TyperCommand)
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join(command.collect_usage_pieces(context))
    paragraphs = cleandoc(command.help or "").split("\n\n")
    arguments, options = list[list[str]](), list[list[str]]()
    for parameter in command.params:
        spelled, told = parameter.get_help_record(context) or ("", "")
        rows = arguments if isinstance(parameter, TyperArgument) else options
        rows.append([code(spelled), prose(told)])
    return page(
        f"# ablate {name}",
        *map(prose, paragraphs),
        f"```text\nablate {name} {usage}\n```",
        "## Arguments" if arguments else "",
        table(["argument", "what it is"], arguments) if arguments else "",
        "## Options" if options else "",
        table(["option", "what it does"], options) if options else "",
        "## Exit codes",
        table(["code", "meaning"], _endings(name)),
    )


def _endings(name: str) -> Iterator[list[str]]:
    for end in ENDINGS:
        if not end.of or name in end.of:
            yield [str(end.code), prose(end.meaning)]

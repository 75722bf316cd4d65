"""Any text in any place of a command ends in its answer or in a clear line, never in anything else."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runners.__main__ import _main

TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "",
        ".",
        "..",
        "/",
        "/dev/null",
        "/proc/self/mem",
        "nan",
        "-1",
        "0",
        "1e999",
        "1" * 400,
        "x" * 300,
        "a,b",
        "a=b",
    ]
)
COMMANDS = st.sampled_from(
    [
        [],
        ["list"],
        ["show"],
        ["show", "resnet", "--image-size"],
        ["memory"],
        *(
            ["memory", "resnet:depth=18,width=4", "--image-size", "32", f"--{option}"]
            for option in (
                "batch-size",
                "mode",
                "optimizer",
                "momentum",
                "precision",
                "target",
                "against",
                "fit",
            )
        ),
        ["plan"],
        ["plan", "--device"],
        ["plan", "relu", "--plugin"],
        *(
            ["run", "relu", f"--{option}"]
            for option in ("dataset", "seeds", "budget", "jobs", "launcher", "import")
        ),
        ["run", "relu", "--device", "none", "--out"],
        ["import"],
        ["import", "nowhere.json", "--into"],
        ["report"],
        ["compare", "."],
    ]
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(command=["memory", "resnet:depth=18,width=4", "--image-size", "32", "--fit"], text=",")
@example(command=["memory", "resnet:depth=18,width=4", "--image-size", "32", "--momentum"], text="nan")
@given(command=COMMANDS, text=TEXTS)
def test_any_text_anywhere_ends_in_an_answer_or_in_a_clear_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: list[str],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.run.execute", lambda *_, **__: None)
    monkeypatch.setattr("runners.terminal.summary.show_report", lambda *_, **__: 0)
    code = _main([*command, text])
    said = capsys.readouterr()
    assert code in {0, 2}, said.err
    if code == 2:
        assert said.out == ""
        assert said.err.startswith("ablate: ")
        assert all(line.startswith("ablate: ") for line in said.err.splitlines()), said.err

"""`ablate import` and `ablate run --import`."""

from pathlib import Path

import pytest

import results
from runners.__main__ import _main
from tests.results.planted_benchmarks import content, level, write

TINY_STUDY = """
architecture = "resnet"
[factors]
stem = ["shallow", "deep64"]
[[workloads]]
kind = "complexity"
levels = { depth = 18 }
image_size = 32
"""


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def blocks(name: str, slow: float = 1.3e-3) -> str:
    return str(write(Path(name), content(level("batch", 1e-3, baseline=True), level("group", slow))))


def test_files_become_a_run_of_their_own_and_twice_is_once(capsys: pytest.CaptureFixture[str]) -> None:
    files = [blocks("a.json"), blocks("b.json", 1.4e-3)]
    assert _main(["import", *files]) == 0
    said = capsys.readouterr().out
    assert "a.json: imported 2 benchmarks of aaaaaaaaaa\n" in said
    assert "? +35 %" in said
    assert Path("runs/building-blocks/report/index.html").is_file()
    before = sorted(Path("runs/building-blocks/benchmarks").iterdir())
    assert _main(["import", files[0]]) == 0
    assert "a.json: imported before; a process counts once\n" in capsys.readouterr().out
    assert sorted(Path("runs/building-blocks/benchmarks").iterdir()) == before
    assert _main(["report", "runs/building-blocks"]) == 0
    assert results.load("runs/building-blocks").analysis.building_blocks["n"].tolist() == [2, 2]


def test_networks_and_their_blocks_stand_in_one_report(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tiny.toml").write_text(TINY_STUDY)
    files = [blocks("a.json"), blocks("b.json", 1.4e-3)]
    arguments = ["run", "tiny.toml", "--device", "cpu", "--import", files[0], "--import", files[1]]
    assert _main(arguments) == 0
    assert "norm: group   ? +35 %" in capsys.readouterr().out
    page = Path("runs/tiny/report/index.html").read_text()
    assert 'id="building-blocks"' in page
    assert 'id="answer"' in page
    run = results.load("runs/tiny")
    assert len(run.analysis.benchmarks) == 4
    assert not run.effects().empty
    # What was measured in the run stays as it is when more is imported.
    assert _main(["import", blocks("c.json", 1.5e-3), "--into", "runs/tiny"]) == 0
    assert len(results.load("runs/tiny").analysis.benchmarks) == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "good.json", "nonsense.json", "nowhere.json", "--into", "out"],
        ["run", "tiny.toml", "--out", "out", "--import", "nonsense.json", "--import", "nowhere.json"],
    ],
)
def test_all_bad_files_are_named_and_nothing_is_done(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    Path("tiny.toml").write_text(TINY_STUDY)
    blocks("good.json")
    Path("nonsense.json").write_text('{"results": 7}')
    assert _main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    expected = "expected the JSON of pytest-benchmark, as `pytest --benchmark-json FILE` writes it"
    assert captured.err.splitlines() == [
        f"ablate: nonsense.json: not benchmarks: no field benchmarks; {expected}",
        f"ablate: nowhere.json: no such file; {expected}",
    ]
    assert not Path("out").exists()


def test_nothing_is_imported_into_what_is_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("thesis").mkdir()
    Path("thesis/thesis.txt").write_text("precious")
    assert _main(["import", blocks("a.json"), "--into", "thesis"]) == 2
    assert capsys.readouterr().err.startswith("ablate: --into 'thesis': holds something that is no run;")
    assert [path.name for path in Path("thesis").iterdir()] == ["thesis.txt"]

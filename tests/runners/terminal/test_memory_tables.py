"""`ablate memory` on a terminal: figures with their units, and nothing cut off."""

import re

import pytest

from runners.__main__ import _main

SMALL = "resnet:depth=18,width=4"
ARGUMENTS = ["memory", SMALL, "--image-size", "32", "--batch-size", "2"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert _main([*ARGUMENTS, *arguments]) == 0
    return capsys.readouterr().out


def test_figures_have_units_and_no_more_digits_than_they_are_worth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = shown(capsys)
    assert re.search(r"simulation seconds +[\d.]+ (ms|s) *\n", found)
    assert re.search(r"peak +[\d.]+ [KM]iB", found)
    assert not re.search(r"\d\.\d{4,}", found)


@pytest.mark.parametrize("width", [80, 100])
def test_a_difference_with_long_names_wraps(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = shown(capsys, "--against", f"{SMALL},stem=deep64").splitlines()
    tables = [line for line in lines if line.startswith("  ") or "─" in line]
    assert max(map(len, tables)) <= width
    assert "…" not in "".join(lines)
    heading = next(line for line in lines if "difference" in line)
    assert heading.split() == ["category", "module", "shape", "here", "there", "difference"]


def test_cards_come_by_size_in_one_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(capsys, "--fit", "1gib,64 mib")
    assert re.match(r"fits in 64MiB: yes, .*; at most \d+ images, .*\nfits in 1GiB: yes, ", found)


def test_several_variants_stand_in_one_table_the_least_below(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    other = f"{SMALL},precision=bf16"
    cpu = ("--target", "cpu")  # of whose allocator nothing is reserved in blocks
    alone = shown(capsys, *cpu)
    found = shown(capsys, other, "--fit", "16MiB", *cpu)
    rows = {line.split()[0]: line for line in found.splitlines() if line.strip().startswith("resnet")}
    canonical = "resnet:depth=18,precision=bf16,width=4"
    assert set(rows) == {SMALL, canonical}
    peak = re.search(r"  peak +([\d.]+ [KM]iB)", alone)
    assert peak is not None
    assert peak[1] in rows[SMALL]
    assert re.search(r"−\d+ % .* fits, at most \d+ images", rows[canonical])
    assert re.search(rf"^Least: {canonical}, peak [\d.]+ [KM]iB \(.+ %\)$", found, re.MULTILINE)

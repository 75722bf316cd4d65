"""What docs/data.md shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runners import datasets
from tests.runners.folders.test_folders import ROOT, ablate

PAGE = (ROOT / "docs" / "data.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def nameless(text: str) -> str:
    """Without the digest, since each version of Pillow packs pixels in its own way."""
    return re.sub(r"@[0-9a-f]{12}", "", text)


def test_the_commands_print_what_stands_below_them(tmp_path: Path) -> None:
    if (reason := datasets.get("fashion-mnist").unavailable()) is not None:
        pytest.skip(reason)
    making, plugin = blocks("python")
    (study,) = blocks("toml")
    subprocess.run([sys.executable, "-c", making], check=True, cwd=tmp_path, timeout=120)
    (tmp_path / "shoes.toml").write_text(study)
    (tmp_path / "mine.py").write_text(plugin)
    done = ablate("plan", "shoes.toml", cwd=tmp_path)
    said = nameless(done.stdout + done.stderr).splitlines()
    told = [line for line in nameless(PAGE).splitlines() if line.startswith(("folder:", "warning: "))]
    assert len(told) == 2
    assert [line for line in told if line not in said] == []
    planned = ablate("plan", "shoes.toml", "--plugin", "mine.py", "--dataset", "stripes", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "num_classes=2" in planned.stdout
    refused = ablate("plan", "shoes.toml", "--dataset", "shoes", cwd=tmp_path)
    assert f"`{refused.stderr.strip()}`" in PAGE


def test_the_table_holds_what_data_sets_say_of_themselves() -> None:
    for name, dataset in datasets.datasets().items():
        assert dataset.test_size is not None
        (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
        total = dataset.development_size + dataset.test_size
        told = [f"{total:,}", dataset.image_shape, str(dataset.num_classes), f"{dataset.test_size:,}"]
        cells = [cell.strip() for cell in row.split("|")]
        assert cells[2:6] == told
        assert dataset.license.startswith(cells[6])

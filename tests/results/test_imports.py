import subprocess
import sys

import pytest

BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is out of bounds")
sys.meta_path.insert(0, Blocker())
{code}
"""
EVERYTHING = """
import importlib, pkgutil, results
for module in pkgutil.walk_packages(results.__path__, "results."):
    importlib.import_module(module.name)
results.load, results.plots, results.Run
"""


def python(blocked: set[str], code: str) -> subprocess.CompletedProcess[str]:
    source = BLOCKER.format(blocked=blocked, code=code)
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)


def test_results_import_neither_torch_nor_what_runs() -> None:
    found = python({"torch", "torchvision", "ablations", "runners"}, EVERYTHING)
    assert found.returncode == 0, found.stderr


def test_writing_records_costs_no_pandas() -> None:
    found = python(
        {"pandas", "scipy", "matplotlib", "seaborn"},
        "import results.records.record",
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("module", ["jinja2", "pandas"])
def test_the_blocker_does_block(module: str) -> None:
    found = python({module}, EVERYTHING)
    assert found.returncode == 1
    assert "is out of bounds" in found.stderr

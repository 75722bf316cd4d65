import subprocess
import sys

import pytest

from results.run import Run

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


HEAVY = {"torch", "matplotlib", "seaborn", "statsmodels", "scipy", "pandas", "jinja2"}
DRAWING = {"torch", "matplotlib", "seaborn", "jinja2"}


def loaded(code: str, of: set[str]) -> str:
    """Which of these packages are there after the code ran in a process of its own."""
    found = python(set(), f"{code}\nimport sys\nprint(*sorted({of!r} & set(sys.modules)))")
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_importing_results_loads_nothing_heavy() -> None:
    assert loaded("import results", HEAVY) == ""


def test_whoever_asks_for_frames_does_not_wait_for_what_draws(run: Run) -> None:
    asks = f"import results; run = results.load({str(run.analysis.path)!r})"
    frames = "run.measurements, run.effects(), run.variants(), run.claims(), run.trials()"
    assert loaded(f"{asks}; assert all(map(len, [{frames}][:3]))", DRAWING) == ""
    assert loaded(f"{asks}; results.plots", DRAWING) == "matplotlib seaborn", "the question can be answered"


@pytest.mark.parametrize("module", ["jinja2", "pandas"])
def test_the_blocker_does_block(module: str) -> None:
    found = python({module}, EVERYTHING)
    assert found.returncode == 1
    assert "is out of bounds" in found.stderr

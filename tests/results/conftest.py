import pytest
from matplotlib.figure import Figure

import results
from results.report.write import Report
from results.run import Run
from tests.results.planted import Plan, write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A complete run with planted truths."""
    return results.load(write_run(tmp_path_factory.mktemp("runs") / "planted"))


@pytest.fixture(scope="session")
def report(run: Run) -> Report:
    """The report of that run, written."""
    return run.report()


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which the duplicate of the baseline is slower and a placebo slips by one bit."""
    plan = Plan(control_time=1.3, relu_slip=1e-16, missing_convergence=1)
    return results.load(write_run(tmp_path_factory.mktemp("runs") / "broken", plan))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty images instead of figures, where only the words are looked at."""

    def drawn(_: Figure) -> tuple[bytes, bytes]:
        return b'<svg viewBox="0 0 1 1"></svg>', b""

    monkeypatch.setattr("results.plots.drawn", drawn)
    monkeypatch.setattr("results.report.write.drawn_on_phones", lambda figure: drawn(figure)[0])

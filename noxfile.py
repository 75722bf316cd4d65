"""Sessions: `nox -s ablate` runs the main job, `nox -s tests` the tests; all share one environment.

`nox -s env` builds it (once: PyTorch takes gigabytes), every other session requires it.
"""

import hashlib
import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "none"

HERE = Path(__file__).parent
ENVIRONMENT = HERE / ".nox" / "torch"
PYTHON = str(ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python")


@nox.session
def env(session: nox.Session) -> None:
    """Build the environment that all sessions share, or bring it up to date with pyproject.toml."""
    stamp = ENVIRONMENT / "installed-from"
    wanted = hashlib.sha256((HERE / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    if not Path(PYTHON).is_file():
        session.run("python", "-m", "venv", str(ENVIRONMENT), external=True)
    # Dependency groups need pip 25.1.
    session.run(PYTHON, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1", external=True)
    session.run(
        PYTHON, "-m", "pip", "install", "--quiet", "--editable", ".",
        "--group", "tests", "--group", "checks", "--group", "docs",
        external=True,
    )  # fmt: skip
    stamp.write_text(wanted)


@nox.session(requires=["env"])
def ablate(session: nox.Session) -> None:
    """Run a study, `quick` by default: `nox -s ablate -- STUDY [OPTIONS]`, as in `ablate run --help`."""
    session.run(PYTHON, "-m", "runners", "run", *session.posargs, external=True)


@nox.session(requires=["env"])
def tests(session: nox.Session) -> None:
    """Run the tests that are quick, or those named: `nox -s tests -- tests/results -k effects`."""
    # Files side by side on all cores; what a file shares (a run, a report) is made once.
    arguments = session.posargs or ["--numprocesses=auto", "--dist=loadfile"]
    session.run(PYTHON, "-m", "pytest", *arguments, external=True)


@nox.session(requires=["env"])
def slow(session: nox.Session) -> None:
    """Run the tests that take minutes."""
    session.run(PYTHON, "-m", "pytest", "-m", "slow", *session.posargs, external=True)


@nox.session(requires=["env"])
def bench(session: nox.Session) -> None:
    """Run the benchmarks: speeds beside others of the same run; `ablate import` reads their JSON."""
    arguments = session.posargs or ["--benchmark-sort=name", "--benchmark-columns=min,median,max,rounds"]
    session.run(PYTHON, "-m", "pytest", "-m", "bench", "--benchmark-enable", *arguments, external=True)


@nox.session(requires=["env"])
def calibrate(session: nox.Session) -> None:
    """Show what timing and trainings are worth: `-- experiment`, `-- trainings`, ..., each with --help."""
    which, *options = session.posargs or ["experiment"]
    module = f"tests.calibration.{which.replace('-', '_')}"
    session.run(PYTHON, "-m", module, *options, external=True)


@nox.session(requires=["env"])
def docs(session: nox.Session) -> None:
    """Build the documentation site, docs/_build/index.html; a warning is an error."""
    session.run(
        PYTHON, "-m", "sphinx", "-W", "--keep-going", *session.posargs, "docs", "docs/_build", external=True
    )


@nox.session(requires=["env"])
def lint(session: nox.Session) -> None:
    """Check style with ruff."""
    session.run(PYTHON, "-m", "ruff", "check", external=True)
    session.run(PYTHON, "-m", "ruff", "format", "--check", external=True)


@nox.session(requires=["env"])
def types(session: nox.Session) -> None:
    """Check types with mypy."""
    session.run(PYTHON, "-m", "mypy", external=True)

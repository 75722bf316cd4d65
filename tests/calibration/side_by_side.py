"""What it takes to know a ratio to ±2 %: this suite, the strongest way by hand, and two usual ones.

`nox -s calibrate -- side-by-side`: the methods take turns. Each answer comes from a process of its own,
forked from one server that has imported PyTorch, building and warm-up included. From the spread of the
answers follows how many it takes until their mean is known to ±2 % (a t interval of 95 %), and so what that
costs. Beside it: what each says of a network and its copy.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pandas as pd

from tests.calibration.answers import OURS, Answer, ours, start_server, theirs
from tests.calibration.costs import FEWEST, Cost, Estimate, costs, table
from tests.calibration.opponents import BY_HAND, TIMER, TIMM, WAYS

HERE = Path(__file__).parent
GIVES = {
    OURS: ("yes, and a verdict", "a copy in each process", "n counts processes"),
    BY_HAND: ("by hand", "by hand", "by hand"),
    TIMER: ("no", "no", "no"),
    TIMM: ("no", "no", "no"),
}
"""What comes with the ratio: an interval, a control, replication."""


_FACTS: dict[str, Callable[[Cost], str]] = {
    "": lambda one: one.method,
    "---": lambda _: "---",
    "answers timed": lambda one: str(one.answers),
    "ratio, geometric mean": lambda one: _interval(one.ratio, ".3f"),
    "spread of an answer (standard deviation of the logarithm)": lambda one: f"{one.sd_percent:.1f} %",
    "seconds an answer takes": lambda one: f"{one.seconds_each:.1f}",
    "answers until the mean is known to ±2 %, two at least": lambda one: f"{one.needed:.1f}",
    "**seconds until the ratio is known to ±2 %**": lambda one: f"**{one.seconds:.1f}**",
    "the same as a multiple of ours": lambda one: _interval(one.times_ours, ".1f"),
    "the same from six answers at least, in seconds": lambda one: f"{one.seconds_of_six:.1f}",
    "two equal networks differ by": lambda one: _interval(one.same_percent, "+.1f", " %"),
    "and are called different by the samples of one answer": lambda one: (
        f"{one.called_different} of {one.answers}"
    ),
    "and by a t interval of six answers": lambda one: f"{one.sixes_different} of {one.sixes}",
    "gives an interval": lambda one: GIVES[one.method][0],
    "gives a control": lambda one: GIVES[one.method][1],
    "gives replication": lambda one: GIVES[one.method][2],
}


def _interval(found: Estimate, digits: str, unit: str = "") -> str:
    if found.low == found.high:
        return f"{found.value:{digits}}{unit}"
    return f"{found.value:{digits}}{unit} ({found.low:{digits}} to {found.high:{digits}})"


def markdown(found: list[Cost]) -> str:
    """The table of the documentation: a column per method."""
    return "\n".join(
        f"| {label} | {' | '.join(cell(one) for one in found)} |" for label, cell in _FACTS.items()
    )


def ask(out: Path, count: int) -> Iterator[Answer]:
    """Let the methods take turns, ours with two answers each."""
    own = ours(out / f"ours-{time.time_ns()}", 2 * count)
    others = [theirs(way, count) for way in WAYS]
    for turn in range(count):
        yield from (next(own), next(own), *(next(other) for other in others))
        print(f"turn {turn + 1} of {count}", flush=True)


@contextmanager
def load() -> Iterator[None]:
    """Another process that loads the machine on and off."""
    loader = subprocess.Popen([sys.executable, str(HERE / "load.py"), "1"])
    try:
        yield
    finally:
        loader.kill()
        loader.wait()


def main() -> None:
    """Ask all methods, then print the table and write the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--answers", type=int, default=24, help="of each method, 2 or more; twice as many of ours"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/side-by-side"))
    parser.add_argument("--load", action="store_true", help="another process loads the machine on and off")
    given = parser.parse_args()
    if given.answers < FEWEST:
        parser.error(f"--answers: expected {FEWEST} or more, found {given.answers}")
    given.out.mkdir(parents=True, exist_ok=True)
    start_seconds = start_server()
    with load() if given.load else nullcontext():
        answers = pd.DataFrame(list(ask(given.out, given.answers)))
    answers.to_csv(given.out / "answers.csv", index=False)
    found = costs(answers)
    table(found).to_csv(given.out / "summary.csv", index=False)
    print(f"\n{markdown(found)}\n")
    print(
        f"Beside it, once for each: {start_seconds:.1f} s until the server has started and imported PyTorch."
    )


if __name__ == "__main__":
    main()

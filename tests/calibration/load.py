"""Loads one core on and off, for as long as its parent lives: `python load.py SEED`."""

import os
import random
import sys
import time

LONGEST_SECONDS = 4.0


def main(seed: int) -> None:
    """Work, rest, work, each for a time drawn between a tenth of a second and four."""
    generator, parent = random.Random(seed), os.getppid()
    while os.getppid() == parent:
        end = time.monotonic() + generator.uniform(0.1, LONGEST_SECONDS)
        while time.monotonic() < end:
            sum(range(1000))
        time.sleep(generator.uniform(0.1, LONGEST_SECONDS))


if __name__ == "__main__":
    main(int(sys.argv[1]))

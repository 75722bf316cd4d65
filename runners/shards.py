"""A share of a study for one of several machines: whole blocks, dealt out by the plan alone.

Arms are compared within blocks, so that no block is split. Neither the speed of a machine nor its device has
a say: each finds the same share by itself. What is known only once others have measured is in none of them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from results.records.resolved_study import EXACT, Workload
from runners.errors import BadInput, written
from runners.plan import Plan
from runners.stages import wanted
from runners.trial import Trial

MOST_SHARDS = 10_000


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several shares.

    Attributes:
        number: Which one, from 1.
        count: How many there are.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def suffix(self) -> str:
        """What its run directory's name ends with."""
        return f"-{self.number}-of-{self.count}"


def parse_shard(text: str | None, option: str) -> Shard | None:
    """Read `3/8`; None is none.

    Raises:
        BadInput: It is no such pair, or there is no such share.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None:
        raise BadInput(f"{option} {written(text)}: expected NUMBER/COUNT, e.g. 3/8")
    number, count = int(match[1]), int(match[2])
    if not 1 <= count <= MOST_SHARDS:
        raise BadInput(f"{option} {text}: expected 1 to {MOST_SHARDS:,} shards, e.g. 3/8")
    if not 1 <= number <= count:
        raise BadInput(f"{option} {text}: expected 1/{count} to {count}/{count}")
    return Shard(number, count)


def independent(planned: Plan) -> list[Trial]:
    """The trials that are worth running whatever any of them finds."""
    return wanted(planned, (), "")


def share(shard: Shard, trials: Iterable[Trial], workloads: Sequence[Workload]) -> list[Trial]:
    """Those of the trials that are a shard's.

    Workloads of one block are dealt round first; then the blocks of each other workload, which begin in
    different places. More blocks leave those dealt before where they are: with more seeds a shard goes on
    with its own.

    Args:
        shard: Which share.
        trials: Of a plan.
        workloads: All of the plan's study, in order.
    """
    exact = [one.name for one in workloads if one.block_unit == EXACT]
    others = [one.name for one in workloads if one.block_unit != EXACT]
    first = {name: place for place, name in enumerate(exact)}
    first |= {name: len(exact) + place * shard.count // len(others) for place, name in enumerate(others)}
    return [
        trial
        for trial in trials
        if (first[trial.workload.name] + trial.index) % shard.count == shard.number - 1
    ]

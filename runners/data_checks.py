"""What is known of a study's data sets before anything trains: mistakes, and what they leave open."""

import math
from collections.abc import Iterable, Iterator

from runners import datasets
from runners.datasets import Dataset
from runners.errors import BadInput
from runners.probes import WorkloadSettings

FEW_TEST_IMAGES = 500
"""Below so many, what the test set itself leaves open exceeds most effects that are looked for."""
_ACCURACY = 0.9
"""The accuracy at which it is told."""


def mistakes(workloads: Iterable[WorkloadSettings], where: str) -> Iterator[str]:
    """A line for each data set that is not whole."""
    for dataset in _used(workloads):
        try:
            dataset.inspect()
        except BadInput as error:
            yield from (f"{where}: data set {dataset.name}: {line}" for line in error.lines)


def warnings(workloads: Iterable[WorkloadSettings]) -> Iterator[str]:
    """Lines on what was left out of data sets, and on test sets that are small."""
    for dataset in _used(workloads):
        yield from (f"data set {dataset.name}: {line}" for line in dataset.warnings)
        if dataset.test_size is None or dataset.test_size >= FEW_TEST_IMAGES:
            continue
        if dataset.per_pixel:  # whose pixels go together, so that their number says little
            yield (
                f"data set {dataset.name}: what another {dataset.test_size:,} test images would say no number"
                f" of seeds takes away; {FEW_TEST_IMAGES} or more say more"
            )
        else:
            points = 100 * math.sqrt(_ACCURACY * (1 - _ACCURACY) / dataset.test_size)
            yield (
                f"data set {dataset.name}: its {dataset.test_size:,} test images tell an accuracy of"
                f" {100 * _ACCURACY:.0f} % to ±{points:.1f} points (standard error), which no number of seeds"
                f" takes away; {FEW_TEST_IMAGES} or more say more"
            )


def _used(workloads: Iterable[WorkloadSettings]) -> list[Dataset]:
    """Every data set once."""
    names = [getattr(settings, "dataset", None) for settings in workloads]
    return [datasets.get(name) for name in dict.fromkeys(names) if name is not None]

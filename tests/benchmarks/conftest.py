"""What every file of benchmarks says about the machine, and in which order it is timed."""

import random
from typing import Any

import pytest
import torch


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    machine_info["torch"] = torch.__version__
    machine_info["threads"] = torch.get_num_threads()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Levels are timed one after the other. With an order of its own for each process, what comes first or
    # last, or while the machine is warm, is chance and no property of a level.
    if not hasattr(config, "workerinput"):  # side by side, all workers have to agree on the order
        places = [place for place, item in enumerate(items) if "bench" in item.keywords]
        shuffled = random.sample([items[place] for place in places], len(places))
        for place, item in zip(places, shuffled, strict=True):
            items[place] = item

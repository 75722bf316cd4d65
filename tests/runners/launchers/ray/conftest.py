"""A cluster goes with the module that began it."""

from collections.abc import Iterator

import pytest
import ray


@pytest.fixture(autouse=True, scope="module")
def _left_behind() -> Iterator[None]:
    yield
    ray.shutdown()

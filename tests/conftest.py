"""What holds for every test."""

from collections.abc import Iterator

import pytest
import torch

from tests.loaded_plugins import left_as_they_were

# Small tensors on busy cores: a second thread waits more than it helps.
torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="module")
def _plugins_go_with_the_module_that_loads_them() -> Iterator[None]:
    with left_as_they_were():
        yield

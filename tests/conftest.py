"""What holds for every test."""

import signal
from collections.abc import Iterator

import hypothesis
import pytest
import torch

from tests.loaded_plugins import left_as_they_were

# Small tensors on busy cores: a second thread waits more than it helps.
torch.set_num_threads(1)
# Nor does a machine that is busy make a property untrue.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="module")
def _plugins_go_with_the_module_that_loads_them() -> Iterator[None]:
    with left_as_they_were():
        yield


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as in a terminal, here and in what is started; what runs in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

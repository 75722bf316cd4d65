"""The same seed, the same numbers: what PyTorch and its libraries choose for speed is pinned down."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def deterministic() -> Iterator[None]:
    """Operators that give the same numbers each time, as far as there are such; the others warn.

    To be entered before anything runs: cuBLAS reads its workspace's size when it is first used, and with
    `:4096:8` its results do not depend on how streams interleave (NVIDIA's documentation of cuBLAS).
    Memory is not filled before it is written, as PyTorch otherwise does then: a network that reads what it
    has not written is at fault, and filling costs a CPU a twelfth of a step.
    """
    cudnn = torch.backends.cudnn
    before = (cudnn.deterministic, cudnn.benchmark)
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    was_on = torch.are_deterministic_algorithms_enabled()
    warned_only = torch.is_deterministic_algorithms_warn_only_enabled()
    workspace = os.environ.get(_WORKSPACE)
    os.environ[_WORKSPACE] = ":4096:8"
    cudnn.deterministic, cudnn.benchmark = True, False
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(was_on, warn_only=warned_only)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        cudnn.deterministic, cudnn.benchmark = before
        if workspace is None:
            del os.environ[_WORKSPACE]
        else:
            os.environ[_WORKSPACE] = workspace

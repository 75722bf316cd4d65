"""Gradient checkpointing of any network with blocks: they keep their input and compute the rest again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

_FEWEST_BLOCKS = 2
"""Within another, that make it a stage; one alone (a gate in a sequence, say) is a part of it."""

Contexts = Callable[[], tuple[AbstractContextManager[None], AbstractContextManager[None]]]


def _no_contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), nullcontext()


def checkpoint_blocks(
    network: nn.Module, *, contexts: Contexts = _no_contexts, replay_random: bool = True
) -> None:
    """Let each block of the network's stages keep its input only, and compute the rest again when needed.

    Outputs, gradients and what BatchNorm remembers are the same to the bit (T. Chen et al. 2016). A block
    that remembers anything else is refused when it runs.

    Args:
        network: It is changed in place; its parameters keep their names.
        contexts: What the first pass and the second run in.
        replay_random: Whether the second pass draws what the first drew, for which the generators' states
            are kept; layers that draw nothing need none.

    Raises:
        ValueError: It has no such blocks.
    """
    for block in blocks(network):
        if not (isinstance(block.forward, partial) and block.forward.func is _recomputed):  # already
            block.forward = partial(_recomputed, block, block.forward, contexts, replay_random)


def blocks(network: nn.Module) -> tuple[nn.Module, ...]:
    """Modules with layers of their own that follow each other in a sequence: a ResNet's, say.

    Raises:
        ValueError: There are none.
    """
    found = tuple(_blocks(network))
    if not found:
        raise ValueError(f"{type(network).__name__}: no block to checkpoint; expected sequences of blocks")
    return found


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        inside = tuple(_blocks(child))
        block = isinstance(module, nn.Sequential) and not isinstance(child, nn.Sequential)
        if block and len(inside) < _FEWEST_BLOCKS and any(True for _ in child.children()):
            yield child
        else:
            yield from inside


def _recomputed(
    block: nn.Module,
    forward: Callable[..., Any],
    contexts: Contexts,
    replay_random: bool,
    *args: Any,
    **kwargs: Any,
) -> Any:
    if not torch.is_grad_enabled():
        return forward(*args, **kwargs)
    given = [(leaf, leaf._version) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    remembered = [(name, buffer, buffer._version) for name, buffer in _buffers(block)]

    def both() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        first, again = contexts()
        return first, _both(again, _unremembered(block))

    output = checkpoint(
        forward, *args, use_reentrant=False, preserve_rng_state=replay_random, context_fn=both, **kwargs
    )
    if any(leaf._version != version for leaf, version in given):
        kind = type(block).__name__
        raise ValueError(f"{kind} overwrites its input and cannot be checkpointed; use relu=out_of_place")
    now = dict(_buffers(block))
    for name, buffer, version in remembered:
        if now.get(name) is not buffer or buffer._version != version:
            raise ValueError(f"{type(block).__name__} changes its {name} and cannot be checkpointed")
    return output


def _buffers(block: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """All but BatchNorm's, which is kept from remembering twice."""
    for prefix, module in block.named_modules():
        if not isinstance(module, _BatchNorm):
            for name, buffer in module.named_buffers(recurse=False):
                yield f"{prefix}.{name}".lstrip("."), buffer


_thread = threading.local()  # a backward pass on an accelerator has threads of its own


def computing_again() -> bool:
    """Whether what runs now was run before, and is computed again for the backward pass."""
    return getattr(_thread, "again", False)


@contextmanager
def _both(one: AbstractContextManager[None], other: AbstractContextManager[None]) -> Iterator[None]:
    with one, other:
        yield


@contextmanager
def _unremembered(block: nn.Module) -> Iterator[None]:
    """Have BatchNorm remember nothing of a pass: the first has told it already."""
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    _thread.again = True
    try:
        yield
    finally:
        _thread.again = False
        for norm, (momentum, batches) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, batches

"""What the CPU's allocator did in a step that nobody followed: an oracle that knows nothing of followers.

It goes by the profiler's events alone. Memory that an operator takes and gives back before it ends is taken
for its scratch if the operator is one of those named here, and for a tensor otherwise: whatever a simulation
leaves out or makes up shows, but for what these kernels keep to themselves.
"""

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from runners.memory.settings import StepSettings
from runners.memory.step import Build, Step

NUMBER_BYTES = 8
"""A Python number that an operator is given becomes a tensor of so many bytes, which is not compared."""

_PRODUCTS = "mkldnn_convolution _convolution convolution_backward mm bmm addmm"  # operands in another order
_NORMS = """
    native_batch_norm native_batch_norm_backward native_layer_norm native_layer_norm_backward
    native_group_norm native_group_norm_backward
"""  # contiguous copies of images and gradients, partial sums
_RESAMPLING = """
    upsample_nearest2d upsample_nearest2d_backward upsample_bilinear2d upsample_bilinear2d_backward
    upsample_bicubic2d upsample_bicubic2d_backward _upsample_nearest_exact2d
    _upsample_nearest_exact2d_backward
"""  # copies in channels-last order, weights of the neighbours
_ATTENTION = """
    _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_flash_attention_for_cpu_backward
    _safe_softmax
"""  # a block of scores per thread; where every score is masked
_COPIES = """
    _softmax _softmax_backward_data _log_softmax _log_softmax_backward_data gelu_backward
    log_sigmoid_forward rrelu_with_noise rrelu_with_noise_ im2col col2im
    native_channel_shuffle pixel_shuffle pixel_unshuffle
    max_pool2d_with_indices max_pool2d_with_indices_backward avg_pool2d avg_pool2d_backward
    avg_pool3d avg_pool3d_backward _adaptive_avg_pool2d _adaptive_avg_pool2d_backward
    adaptive_max_pool2d adaptive_max_pool2d_backward fractional_max_pool2d fractional_max_pool2d_backward
    reflection_pad2d reflection_pad2d_backward replication_pad2d replication_pad2d_backward
"""  # arguments in plain order
_COMPOSED = "_trilinear repeat"  # made of operators below autograd, where no mode follows
_BF16 = "add sub mul div mean sum gather scatter_ scatter_add_"  # operands and sums in float32
SCRATCH = frozenset(
    f"aten::{name}"
    for names in (_PRODUCTS, _NORMS, _RESAMPLING, _ATTENTION, _COPIES, _COMPOSED)
    for name in names.split()
)
"""Kernels of the CPU that hold memory of their own while they run."""
SCRATCH_BF16 = SCRATCH | {f"aten::{name}" for name in _BF16.split()}

_PHASE = "phase "


@dataclass
class Seen:
    """A phase as the allocator saw it.

    Attributes:
        peak_bytes: Most bytes handed out at once, what was there before the step included.
        tensor_peak_bytes: Most at once but for scratch and numbers.
        tensor_sizes: How many allocations of each size there were but for these.
        temporaries: Sizes among these that an operator gave back before it ended, with the operators at
            work, the outermost first: composite ones, or kernels that are missing above.
    """

    peak_bytes: int
    tensor_peak_bytes: int
    tensor_sizes: Counter[int]
    temporaries: list[tuple[int, tuple[str, ...]]]


class _Node(NamedTuple):
    name: str
    end: int


class _Event(NamedTuple):
    time: int
    nbytes: int
    address: int
    within: tuple[_Node, ...]


def unobserved(build: Build, settings: StepSettings) -> dict[str, Seen]:
    """Run a step on the CPU, a second time, and tell what its allocator did, by phase."""
    step = Step(build, settings, torch.device("cpu"), "cpu")
    step.prepare()
    step.run()
    held = _held_before(step)
    everything = sum(held)
    tensors = sum(nbytes for nbytes in held if nbytes > NUMBER_BYTES)
    known = SCRATCH if settings.precision == "fp32" else SCRATCH_BF16
    phases: dict[str, Seen] = {}
    for phase, events in _events(step).items():
        seen = phases[phase] = Seen(everything, tensors, Counter(), [])
        given_back = _given_back(events)
        for index, event in enumerate(events):
            everything += event.nbytes
            seen.peak_bytes = max(seen.peak_bytes, everything)
            operators = given_back.get(index, ())
            if abs(event.nbytes) <= NUMBER_BYTES or known.intersection(operators):
                continue
            tensors += event.nbytes
            seen.tensor_peak_bytes = max(seen.tensor_peak_bytes, tensors)
            if event.nbytes > 0:
                seen.tensor_sizes[event.nbytes] += 1
                if operators:
                    seen.temporaries.append((event.nbytes, operators))
    return phases


def _held_before(step: Step) -> list[int]:
    given = [*step.model.parameters(), *step.model.buffers(), step.images, step.labels]
    if step.optimizer is not None:
        given += [value for state in step.optimizer.state.values() for value in state.values()]
    tensors = [tensor for tensor in given if isinstance(tensor, torch.Tensor)]
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return list(storages.values())


def _events(step: Step) -> dict[str, list[_Event]]:
    """Events by phase; garbage is not collected meanwhile, for what it holds is not the step's."""
    found: dict[str, list[_Event]] = {}
    gc.disable()
    try:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            for phase, run in step.phases():
                found[phase] = []
                with record_function(_PHASE + phase):
                    run()
    finally:
        gc.enable()
    for root in profiler.profiler.kineto_results.experimental_event_tree():
        if root.name.startswith(_PHASE):
            found[root.name.removeprefix(_PHASE)] = sorted(_below(root, ()))
    return found


def _below(node: Any, within: tuple[_Node, ...]) -> Iterator[_Event]:
    if node.tag.name == "Allocation":
        fields = node.extra_fields
        yield _Event(node.start_time_ns, fields.alloc_size, fields.ptr, within)
    elif node.name.startswith("aten::") and not _passes_on(node):
        within = (*within, _Node(node.name, node.end_time_ns))
    for child in node.children:
        yield from _below(child, within)


def _passes_on(node: Any) -> bool:
    """Whether it calls the operator proper: autocast, once it has cast the arguments, or another overload."""
    return node.name != "aten::sum" and any(child.name == node.name for child in node.children)


def _given_back(events: list[_Event]) -> dict[int, tuple[str, ...]]:
    """By event, the operators that began before the memory was taken and ended after it was given back."""
    found = {}
    taken: dict[int, int] = {}
    for index, event in enumerate(events):
        if event.nbytes > 0:
            taken[event.address] = index
            continue
        begin = taken.pop(event.address, None)
        if begin is not None:
            outlast = tuple(node.name for node in events[begin].within if node.end >= event.time)
            found[begin] = found[index] = outlast
    return found

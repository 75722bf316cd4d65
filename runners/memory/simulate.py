"""A step on tensors without data, and the same step on real ones, under the same follower."""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from runners.memory.attribution import INPUT, LOSS, OPTIMIZER, ModuleTracker, owner
from runners.memory.choices import check_fast_paths
from runners.memory.cuda_allocator import LEFT_OUT, replay
from runners.memory.dispatch import backend, kernels_of
from runners.memory.events import Recorder
from runners.memory.follow import Follower
from runners.memory.profile import CATEGORIES, Category, MemoryProfile, Operation, Peak, Source, TensorMemory
from runners.memory.rules import kernel_rules
from runners.memory.settings import GRANULARITY, StepSettings, Target
from runners.memory.shapes import ShapeMemo
from runners.memory.step import Build, Step

_META = torch.device("meta")


def simulate(build: Build, settings: StepSettings, *, target: Target = "cuda") -> MemoryProfile:
    """What a step would need on a device that need not be there; nothing is computed or allocated.

    Args:
        build: Makes the model on the device it is given.
        settings: The step.
        target: The device whose granularity and defaults hold.

    Raises:
        ValueError: The model and the settings do not go together, or an operator has no rule for the
            shape of its result; one line that says which.
    """
    started = time.perf_counter()
    tracker: ModuleTracker | None = None
    memo = ShapeMemo(kernel_rules(target))
    try:
        with kernels_of(backend(_META, target)):
            step = Step(build, settings, _META, target)
            if settings.mode == "inference":
                check_fast_paths(step.model)
            with memo.active():
                step.prepare()
            tracker = ModuleTracker(step.model)
            profile = observe(step, tracker, target, "simulated", started, memo)
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(_explain(error, tracker, settings)) from error
    if target != "cuda":
        return profile
    reservation = replay(profile)
    return replace(
        profile,
        reserved_bytes=reservation.reserved_peak_bytes,
        modelled_allocated_bytes=reservation.allocated_peak_bytes,
        left_out=LEFT_OUT,
        simulation_seconds=time.perf_counter() - started,
    )


def follow(build: Build, settings: StepSettings) -> MemoryProfile:
    """The same on real tensors of the CPU, computed."""
    started = time.perf_counter()
    step = Step(build, settings, torch.device("cpu"), "cpu")
    step.prepare()
    return observe(step, ModuleTracker(step.model), "cpu", "measured", started)


def observe(
    step: Step,
    tracker: ModuleTracker,
    target: Target,
    source: Source,
    started: float,
    memo: ShapeMemo | None = None,
    recorder: Recorder | None = None,
) -> MemoryProfile:
    """Run a prepared step under a follower; what it leaves behind (gradients) stays."""
    device = step.images.device
    follower = Follower(
        tracker,
        device,
        GRANULARITY[target],
        host=target == "cpu",
        target=target,
        precision=step.precision,
        memo=memo,
        recorder=recorder,
    )
    _register(follower, step)
    static_bytes = follower.live_bytes
    first = len(follower.records)
    saved_bytes = 0
    with tracker.attached(), follower.attached():
        for phase, run in step.phases():
            tracker.outside = OPTIMIZER if phase == "optimizer_step" else LOSS
            follower.phase = phase
            if recorder is None:
                with follower:
                    run()
            else:
                recorder.run(partial(_inside, follower, run))
            if phase == "forward":
                saved_bytes = follower.live_bytes - static_bytes
                _label(follower, (i for i in follower.alive() if i >= first), "activations")
            elif phase == "backward":
                _label_gradients(follower, step)
    follower.close()
    tensors = tuple(record.freeze() for record in follower.records)
    timeline = tuple(follower.timeline)
    return MemoryProfile(
        mode=step.settings.mode,
        source=source,
        target=target,
        device=str(device),
        peaks=_peaks(timeline, tensors),
        static_bytes=static_bytes,
        saved_bytes=saved_bytes,
        allocations=len(tensors) - first,
        allocated_bytes=sum(tensor.nbytes for tensor in tensors[first:]),
        timeline=timeline,
        tensors=tensors,
        events=tuple(follower.events),
        simulation_seconds=time.perf_counter() - started,
    )


def _inside(context: AbstractContextManager[object], run: Callable[[], None]) -> None:
    with context:
        run()


def _register(follower: Follower, step: Step) -> None:
    names: dict[Tensor, str] = {parameter: name for name, parameter in step.model.named_parameters()}
    for tensor, name in names.items():
        follower.register(tensor, name, owner(name), "parameters")
    for name, buffer in step.model.named_buffers():
        follower.register(buffer, name, owner(name), "buffers")
    follower.register(step.images, "images", INPUT, "inputs")
    if step.labels is not None:
        follower.register(step.labels, "labels", INPUT, "inputs")
    if step.optimizer is not None:
        for parameter, state in step.optimizer.state.items():
            for key, value in state.items():
                if isinstance(value, Tensor):
                    name = names[parameter]
                    follower.register(value, f"{name}.{key}", owner(name), "optimizer_state")
        for parameter, name in names.items():
            if parameter.grad is not None:
                follower.register(parameter.grad, f"{name}.grad", owner(name), "gradients")


def _label(follower: Follower, indices: Iterable[int], category: Category) -> None:
    for index in indices:
        follower.records[index].category = category


def _label_gradients(follower: Follower, step: Step) -> None:
    for name, parameter in step.model.named_parameters():
        index = None if parameter.grad is None else follower.find(parameter.grad)
        if index is not None:
            follower.records[index].category = "gradients"
            follower.records[index].module = owner(name)


def _peaks(timeline: tuple[Operation, ...], tensors: tuple[TensorMemory, ...]) -> dict[str, Peak]:
    highest: dict[str, int] = {}
    for index, operation in enumerate(timeline):
        best = highest.setdefault(operation.phase, index)
        if operation.live_bytes > timeline[best].live_bytes:
            highest[operation.phase] = index
    return {phase: _peak(timeline, tensors, index) for phase, index in highest.items()}


def _peak(timeline: tuple[Operation, ...], tensors: tuple[TensorMemory, ...], index: int) -> Peak:
    by_category: dict[Category, int] = dict.fromkeys(CATEGORIES, 0)
    by_module: dict[str, int] = {}
    for tensor in tensors:
        if tensor.alive(index):
            by_category[tensor.category] += tensor.nbytes
            by_module[tensor.module] = by_module.get(tensor.module, 0) + tensor.nbytes
    operation = timeline[index]
    return Peak(
        live_bytes=operation.live_bytes,
        operation=index,
        operator=operation.operator,
        module=operation.module,
        by_category=by_category,
        by_module=dict(sorted(by_module.items(), key=lambda item: -item[1])),
    )


def _explain(error: Exception, tracker: ModuleTracker | None, settings: StepSettings) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    where = "the model" if tracker is None else tracker.entered
    return f"{where}, input {settings.input_shape}: cannot be simulated: {line}"

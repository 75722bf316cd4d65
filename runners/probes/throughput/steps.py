"""The step that is timed: network, settings and synthetic images, in training or inference."""

import math
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import torch
from torch import Tensor, nn

from ablations import surgery
from runners.loss import cross_entropy, labels_shape, logits_of
from runners.outcomes import NotApplicable, in_channels, make_variant
from runners.probes.throughput.clock import Mark, Step
from runners.probes.throughput.settings import ThroughputSettings
from runners.running import Running
from runners.trial import Trial, TrialArm
from runners.workload_settings import Mode

PHASES: dict[Mode, tuple[str, ...]] = {
    "train": ("forward", "backward", "optimizer"),
    "inference": ("forward",),
}
"""What a step marks the end of, in order."""

Context = Callable[[], AbstractContextManager[object]]


def pin(trial: Trial) -> None:
    """Keep the process on as many cores as it has threads; which ones, takes turns from process to process.

    No core is special over all processes, as one that serves the interrupts would be. Where the system
    has no such call, nothing happens, and the record names no cores.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    first = trial.index * trial.threads
    os.sched_setaffinity(0, {cores[(first + i) % len(cores)] for i in range(trial.threads)})


def set_backends(settings: ThroughputSettings) -> None:
    """Set cuDNN's search and TensorFloat-32 to what the workload says, whatever the defaults are."""
    torch.backends.cudnn.benchmark = settings.cudnn_benchmark
    torch.backends.cudnn.allow_tf32 = settings.tf32
    torch.backends.cuda.matmul.allow_tf32 = settings.tf32


def make_step(
    trial: Trial,
    settings: ThroughputSettings,
    arm: TrialArm,
    network: nn.Module,
    mode: Mode,
    batch_size: int,
) -> Step:
    """A step of the network on one batch of synthetic images, equal for all arms of the trial.

    Args:
        trial: For its device, image size and random streams.
        settings: The workload's.
        arm: For the channels of its images.
        network: On the trial's device. It is put into training or evaluation mode.
        mode: A training step (forward, backward, SGD with momentum) or a forward pass under
            `torch.inference_mode`.
        batch_size: Images of shape (batch_size, channels, size, size).
    """
    variant, size = make_variant(arm), trial.workload.input_size
    channels, settings = in_channels(variant), settings.of(dict(variant.levels))
    running = Running.of(settings, trial.device)
    if settings.compile and settings.checkpointing:
        raise NotApplicable("torch.compile takes no checkpointed blocks")
    generator = torch.Generator().manual_seed(trial.stream("images"))
    images = torch.rand(batch_size, channels, size, size, generator=generator).to(trial.device)
    network = running.network(network.train(mode == "train"))
    images, context = running.images(images), running.context
    if mode == "inference":
        if settings.fold_batchnorm:
            network = surgery.fold_batchnorms(network)
        return partial(_infer, _compiled(network, settings), images, context)
    with torch.no_grad(), context():
        classes = logits_of(network(images)).shape[1]
    shape = labels_shape(network, tuple(images.shape))
    labels = (torch.arange(math.prod(shape), device=trial.device) % classes).reshape(shape)
    # A learning rate of 0 does all the work of a step and leaves the weights: each step costs the same.
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0, momentum=0.9, weight_decay=1e-4)
    _make_state(optimizer)
    return partial(_train, _compiled(network, settings), images, labels, optimizer, context)


def _make_state(optimizer: torch.optim.Optimizer) -> None:
    """Have the optimizer make its buffers now, in a row, not in the midst of the first step's memory."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _compiled(network: nn.Module, settings: ThroughputSettings) -> Callable[[Tensor], Tensor]:
    if not settings.compile:
        return network
    # Graph breaks and recompilations would be timed as if they were the network.
    return torch.compile(network, fullgraph=True, dynamic=False)


def _infer(network: Callable[[Tensor], Tensor], images: Tensor, context: Context, mark: Mark) -> None:
    with torch.inference_mode(), context():
        network(images)
    mark()


def _train(
    network: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    optimizer: torch.optim.Optimizer,
    context: Context,
    mark: Mark,
) -> None:
    with context():
        loss = cross_entropy(network(images), labels)
    mark()
    loss.backward()
    mark()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    mark()

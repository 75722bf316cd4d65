"""A training step or an inference pass, made ready to run phase by phase on any device."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn

from ablations import checkpointing, surgery
from ablations.outputs import Auxiliary
from runners.loss import cross_entropy, labels_shape
from runners.memory.autocast import autocast
from runners.memory.optimizers import fused_without_data, make_optimizer
from runners.memory.settings import StepSettings, Target

Build = Callable[[torch.device], nn.Module]
Phase = Literal["forward", "backward", "optimizer_step", "inference"]


class Step:
    """Everything that a step needs; once prepared, in the state in which a step finds it after the first.

    The output and the loss stay alive to the end of the step, as the variables of a training loop do.
    """

    def __init__(self, build: Build, settings: StepSettings, device: torch.device, target: Target) -> None:
        with torch.device(device):
            self.model = build(device)
        self.settings, self.device, self.target = settings, device, target
        _check_model(self.model, settings, device)
        self.images = torch.full(settings.input_shape, 0.5, device=device)
        if settings.precision == "bf16":
            self.model, self.images = self.model.bfloat16(), self.images.bfloat16()
        if settings.memory_format == "channels_last":
            self.model.to(memory_format=torch.channels_last)
            self.images = self.images.contiguous(memory_format=torch.channels_last)
        if settings.fold_batchnorm and settings.mode == "inference":
            self.model = surgery.fold_batchnorms(self.model)
        self.labels: Tensor | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self.output: Tensor | Auxiliary | None = None
        self.loss: Tensor | None = None
        self.model.train(settings.mode == "train")
        if settings.mode == "train":
            shape = settings.target_shape or labels_shape(self.model, settings.input_shape)
            self.labels = torch.zeros(shape, dtype=torch.int64, device=device)
            self.optimizer = make_optimizer(self.model, settings, target)
            if settings.checkpointing:
                # A state of random numbers costs the host, and the device nothing.
                checkpointing.checkpoint_blocks(self.model, contexts=self._recomputing, replay_random=False)

    def prepare(self) -> None:
        """Let the optimizer make its state, by a step on gradients of 0: no forward or backward needed."""
        if self.optimizer is None:
            return
        for parameter in self.model.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter)
        with fused_without_data() if self.device.type == "meta" else nullcontext():
            self.optimizer.step()
        self.reset()

    def phases(self) -> Iterator[tuple[Phase, Callable[[], None]]]:
        """What to run, in order; the caller runs each before asking for the next."""
        if self.settings.mode == "inference":
            yield "inference", self._infer
        else:
            yield "forward", self._forward
            yield "backward", self._backward
            yield "optimizer_step", self._update

    def run(self) -> None:
        """Run the whole step, unobserved, and leave it as it was found."""
        for _, phase in self.phases():
            phase()
        self.reset()

    def precision(self) -> AbstractContextManager[None]:
        """A context in which the forward pass and the loss are computed."""
        if self.settings.precision == "bf16-autocast":
            return autocast(self.device, self.target)
        return nullcontext()

    def reset(self) -> None:
        """Drop what a step leaves behind: output, loss and, unless they are to be kept, gradients."""
        self.output = self.loss = None
        if self.optimizer is not None and self.settings.gradients == "none":
            self.optimizer.zero_grad(set_to_none=True)

    def _infer(self) -> None:
        with torch.inference_mode(), self.precision():
            self.output = self.model(self.images)

    def _forward(self) -> None:
        assert self.labels is not None
        assert self.optimizer is not None
        self.optimizer.zero_grad(set_to_none=self.settings.gradients == "none")
        with self.precision():
            self.output = self.model(self.images)
            self.loss = cross_entropy(self.output, self.labels)

    def _backward(self) -> None:
        assert self.loss is not None
        self.loss.backward()

    def _update(self) -> None:
        assert self.optimizer is not None
        self.optimizer.step()

    def _recomputing(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """What checkpoints add to the first pass and to the second: the precision that only we know."""
        return nullcontext(), self.precision() if self.device.type == "meta" else nullcontext()


def _check_model(model: nn.Module, settings: StepSettings, device: torch.device) -> None:
    parameters = dict(model.named_parameters())
    if settings.mode == "train" and not any(p.requires_grad for p in parameters.values()):
        raise ValueError(
            f"{type(model).__name__}: no parameter to train; expected one at least, or mode inference"
        )
    for name, tensor in (parameters | dict(model.named_buffers())).items():
        if tensor.device.type != device.type:
            raise ValueError(f"{name} was built on {tensor.device}; expected {device}, the device asked for")

"""A training step or an inference pass, made ready to run phase by phase on any device."""

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from runners.memory.settings import StepSettings, Target

Build = Callable[[torch.device], nn.Module]
Phase = Literal["forward", "backward", "optimizer_step", "inference"]

LEARNING_RATE = 1e-3


class Step:
    """Everything that a step needs; once prepared, in the state in which a step finds it after the first.

    The output and the loss stay alive to the end of the step, as the variables of a training loop do.
    """

    def __init__(self, build: Build, settings: StepSettings, device: torch.device, target: Target) -> None:
        with torch.device(device):
            self.model = build(device)
        self.settings = settings
        _check_model(self.model, settings, device)
        self.images = torch.full(settings.input_shape, 0.5, device=device)
        self.labels: Tensor | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self.output: Tensor | None = None
        self.loss: Tensor | None = None
        if settings.mode == "train":
            self.model.train()
            self.labels = torch.zeros(settings.labels_shape, dtype=torch.int64, device=device)
            self.optimizer = _optimizer(self.model, settings, target)
        else:
            self.model.eval()

    def prepare(self) -> None:
        """Let the optimizer make its state, by a step on gradients of 0: no forward or backward needed."""
        if self.optimizer is None:
            return
        for parameter in self.model.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter)
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

    def reset(self) -> None:
        """Drop what a step leaves behind: gradients, output and loss."""
        self.output = self.loss = None
        if self.optimizer is not None:
            self.optimizer.zero_grad(set_to_none=True)

    def _infer(self) -> None:
        with torch.inference_mode():
            self.output = self.model(self.images)

    def _forward(self) -> None:
        assert self.labels is not None
        self.output = self.model(self.images)
        self.loss = nn.functional.cross_entropy(self.output, self.labels)

    def _backward(self) -> None:
        assert self.loss is not None
        self.loss.backward()

    def _update(self) -> None:
        assert self.optimizer is not None
        self.optimizer.step()


def _check_model(model: nn.Module, settings: StepSettings, device: torch.device) -> None:
    parameters = dict(model.named_parameters())
    if settings.mode == "train" and not any(p.requires_grad for p in parameters.values()):
        raise ValueError(
            f"{type(model).__name__}: no parameter to train; expected one at least, or mode inference"
        )
    for name, tensor in (parameters | dict(model.named_buffers())).items():
        if tensor.device.type != device.type:
            raise ValueError(f"{name} was built on {tensor.device}; expected {device}, the device asked for")


def _optimizer(model: nn.Module, settings: StepSettings, target: Target) -> torch.optim.Optimizer:
    parameters = [p for p in model.parameters() if p.requires_grad]
    kind = settings.optimizer_kind
    foreach = kind == "foreach" or (kind == "default" and target == "cuda")
    if settings.optimizer == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=LEARNING_RATE,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            foreach=foreach,
        )
    return torch.optim.AdamW(
        parameters, lr=LEARNING_RATE, weight_decay=settings.weight_decay, foreach=foreach
    )

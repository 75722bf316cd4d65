"""What defines the step whose memory is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Literal, Self, get_args

from ablations import Level, execution

Mode = Literal["train", "inference"]
Target = Literal["cuda", "cpu"]
OptimizerName = Literal["sgd", "adamw"]
OptimizerKind = Literal["default", "single", "foreach", "fused"]
Precision = Literal["fp32", "bf16-autocast", "bf16"]
MemoryFormat = Literal["contiguous", "channels_last"]
Gradients = Literal["none", "zero"]

GRANULARITY: dict[Target, int] = {"cuda": 512, "cpu": 1}
"""Bytes to which an allocator rounds a tensor up. CUDA's caching allocator hands out blocks of 512 bytes;
the CPU's reports what was asked of it (it aligns to 64 bytes, but counts them nowhere)."""


@dataclass(frozen=True, slots=True)
class StepSettings:
    """One step in the steady state: the optimizer's state exists, gradients do not (see `gradients`).

    Attributes:
        input_shape: Shape of the images, (N, C, H, W).
        mode: `train` is forward, loss, backward and optimizer step; `inference` a forward pass of the
            model in evaluation mode under `torch.inference_mode`.
        target_shape: Shape of the class indices (int64) for the cross-entropy; unless given one an image,
            or one a pixel where the network is `per_pixel`.
        optimizer: `sgd` or `adamw`.
        optimizer_kind: `foreach` computes all parameters at once, with temporaries as large as all of
            them; `fused` is one kernel without any; `default` is what the target device would choose
            (CUDA: foreach, CPU: single).
        momentum: Of SGD; 0 keeps no state.
        weight_decay: Of either optimizer.
        precision: `bf16-autocast` computes the forward pass and the loss under autocast; `bf16` holds
            weights, gradients, optimizer state and images in bfloat16.
        memory_format: Of images and convolution weights.
        gradients: `none` frees them between steps (PyTorch's default), `zero` keeps them, filled with 0.
        checkpointing: Whether blocks keep their input only (`ablations.checkpointing`).
        fold_batchnorm: Whether each BatchNorm is folded into the convolution before it, in inference.
    """

    input_shape: tuple[int, ...]
    mode: Mode = "train"
    target_shape: tuple[int, ...] | None = None
    optimizer: OptimizerName = "sgd"
    optimizer_kind: OptimizerKind = "default"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    precision: Precision = "fp32"
    memory_format: MemoryFormat = "contiguous"
    gradients: Gradients = "none"
    checkpointing: bool = False
    fold_batchnorm: bool = False

    def __post_init__(self) -> None:
        for name, shape in (("input_shape", self.input_shape), ("target_shape", self.target_shape)):
            if shape is not None and (not shape or any(size < 1 for size in shape)):
                raise ValueError(f"{name} {shape}: every size must be 1 or more, the batch included")
        for name, value, choices in (
            ("mode", self.mode, Mode),
            ("optimizer", self.optimizer, OptimizerName),
            ("optimizer_kind", self.optimizer_kind, OptimizerKind),
            ("precision", self.precision, Precision),
            ("memory_format", self.memory_format, MemoryFormat),
            ("gradients", self.gradients, Gradients),
        ):
            if value not in get_args(choices):
                raise ValueError(f"{name} {value!r}: expected one of {', '.join(get_args(choices))}")
        if self.momentum < 0 or self.weight_decay < 0:
            raise ValueError(
                f"momentum {self.momentum} and weight decay {self.weight_decay}: neither may be negative"
            )
        if prod(self.input_shape) >= 2**63:
            raise ValueError(f"input_shape {self.input_shape}: more elements than a tensor can count (2**63)")

    def of(self, levels: Mapping[str, Level]) -> Self:
        """This step as a variant asks for it.

        Args:
            levels: The variant's.
        """
        asked = execution.asked(levels)
        changes = {name: asked[name] for name in ("precision",) if name in asked}
        changes |= {
            name: asked[name] == "true" for name in ("checkpointing", "fold_batchnorm") if name in asked
        }
        if "channels_last" in asked:
            changes["memory_format"] = "channels_last" if asked["channels_last"] == "true" else "contiguous"
        return replace(self, **changes)  # type: ignore[arg-type]

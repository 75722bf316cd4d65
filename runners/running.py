"""How a network is run: precision, memory format, checkpoints."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from ablations import checkpointing
from runners.memory.settings import Precision
from runners.workload_settings import RunningSettings


@dataclass(frozen=True, slots=True)
class Running:
    """What a network and its images are turned into, and what they are run in.

    Attributes:
        precision: `bf16-autocast` is the context's, `bf16` that of weights and images.
        memory_format: Of weights and images.
        checkpointing: Whether blocks keep their input only.
        device: Where it all is.
    """

    precision: Precision
    memory_format: torch.memory_format
    checkpointing: bool
    device: str

    @classmethod
    def of(cls, settings: RunningSettings, device: str) -> Self:
        """As settings say it for one variant."""
        layout = torch.channels_last if settings.channels_last else torch.contiguous_format
        return cls(settings.precision, layout, settings.checkpointing, device)

    def network(self, network: nn.Module) -> nn.Module:
        """The network, changed."""
        if self.checkpointing:
            checkpointing.checkpoint_blocks(network)
        network = network.to(memory_format=self.memory_format)
        return network.bfloat16() if self.precision == "bf16" else network

    def images(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) as the network reads them."""
        images = images.contiguous(memory_format=self.memory_format)
        return images.bfloat16() if self.precision == "bf16" else images

    def context(self) -> AbstractContextManager[object]:
        """For the forward pass and the loss."""
        if self.precision != "bf16-autocast":
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16)

"""Checkpointed blocks compute what the network computes, to the bit, whatever they draw or remember."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

import ablations
from ablations import checkpointing

NETWORKS = (
    "resnet:depth=50,width=8",
    "pspnet:depth=18,width=8",
    "torchvision.mobilenet_v3_small",
    "torchvision.efficientnet_b0",  # drops whole blocks at random
    "timm.convnext_atto",
)
STEPS = 3


def trained(network: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers after some steps on fixed images, and the last output and gradients."""
    draw = torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    torch.manual_seed(1)
    for _ in range(STEPS):
        optimizer.zero_grad()
        output = network(torch.randn(4, 3, 65, 65, generator=draw))
        output = getattr(output, "logits", output)
        output.square().mean().backward()
        optimizer.step()
    grads = {f"{name}.grad": p.grad for name, p in network.named_parameters() if p.grad is not None}
    return {**network.state_dict(), **grads, "output": output}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_checkpointed_network_trains_to_the_same_bits(name: str) -> None:
    plain = ablations.build(name)
    checkpointed = copy.deepcopy(plain)
    checkpointing.checkpoint_blocks(checkpointed)
    expected, found = trained(plain), trained(checkpointed)
    assert expected.keys() == found.keys()
    assert [key for key in expected if not torch.equal(expected[key], found[key])] == []


class Counted(nn.Module):
    """A block that counts how often it is passed through."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.passes = nn.Conv2d(3, 3, 1), 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        result: torch.Tensor = self.layer(images)
        return result


def test_each_block_is_passed_twice_in_training_and_once_where_no_gradient_is_asked_for() -> None:
    network = nn.Sequential(Counted(), Counted())
    checkpointing.checkpoint_blocks(network)
    forward = network[0].forward
    checkpointing.checkpoint_blocks(network)
    assert network[0].forward is forward, "once more changes nothing"
    images = torch.rand(1, 3, 4, 4)
    network(images).sum().backward()
    assert [block.passes for block in network] == [2, 2]
    with torch.no_grad():
        network(images)
    assert [block.passes for block in network] == [3, 3]


class Overwriting(nn.Module):
    """A block that begins by overwriting what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.act, self.layer = nn.Hardswish(inplace=True), nn.Conv2d(3, 3, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layer(self.act(images))
        return result


def test_a_block_that_overwrites_its_input_is_refused() -> None:
    network = nn.Sequential(Overwriting(), Overwriting())
    checkpointing.checkpoint_blocks(network)
    expected = "Overwriting overwrites its input and cannot be checkpointed; use relu=out_of_place"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        network(torch.rand(1, 3, 4, 4))
    with torch.no_grad():  # where nothing is computed again
        network(torch.rand(1, 3, 4, 4))


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("resnet:depth=50", "Bottleneck", 16),
        ("torchvision.mobilenet_v3_small", "InvertedResidual", 11),
        ("torchvision.convnext_tiny", "CNBlock", 18),
        ("torchvision.densenet121", "_DenseBlock", 4),
        ("timm.resnet18", "BasicBlock", 8),
        ("timm.convnext_atto", "ConvNeXtBlock", 12),
    ],
)
def test_blocks_are_those_that_the_authors_call_so(name: str, kind: str, count: int) -> None:
    kinds = [type(block).__name__ for block in checkpointing.blocks(ablations.build(name, device="meta"))]
    assert kinds == [kind] * count


class Scaled(nn.Module):
    """A block that is told something by name."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)

    def forward(self, images: torch.Tensor, *, scale: float) -> torch.Tensor:
        result: torch.Tensor = scale * self.layer(images)
        return result


class Calling(nn.Module):
    """Blocks in a sequence that the network goes through itself."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Scaled(), Scaled())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            images = block(images, scale=0.5)
        return images


def test_a_block_may_be_told_things_by_name() -> None:
    plain = Calling()
    checkpointed = copy.deepcopy(plain)
    checkpointing.checkpoint_blocks(checkpointed)
    expected, found = trained(plain), trained(checkpointed)
    assert all(torch.equal(expected[key], found[key]) for key in expected)


class Remembering(nn.Module):
    """A block with a layer that remembers."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layer(images)
        return result


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.InstanceNorm2d(3, track_running_stats=True),
        lambda: nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 3, 1)),
    ],
)
def test_a_block_that_remembers_more_than_batchnorm_is_refused(make: Callable[[], nn.Module]) -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), *(Remembering(make()) for _ in range(2)))
    checkpointing.checkpoint_blocks(network)
    with pytest.raises(ValueError, match=r"^Remembering changes its layer\.\S+ and cannot be checkpointed$"):
        network(torch.rand(2, 3, 8, 8))


def test_who_listens_knows_what_is_computed_again() -> None:
    network = nn.Sequential(Counted(), Counted())
    checkpointing.checkpoint_blocks(network)
    heard: list[bool] = []
    for block in network:
        block.layer.register_forward_pre_hook(lambda *_: heard.append(checkpointing.computing_again()))  # type: ignore[union-attr]
    network(torch.rand(1, 3, 4, 4)).sum().backward()
    assert heard == [False, False, True, True]
    assert not checkpointing.computing_again()

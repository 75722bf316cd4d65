"""Changes on any module, on torchvision's and timm's networks: what is equivalent computes the same bits."""

from collections.abc import Callable

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.ops.misc import FrozenBatchNorm2d

import ablations
from ablations import overwriting, surgery
from ablations.surgery import ActivationLevel

SIDE = 64
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "resnet18": torchvision.models.resnet18,
    "mobilenet_v3_small": torchvision.models.mobilenet_v3_small,
    "squeezenet1_1": torchvision.models.squeezenet1_1,
    "timm.resnet18": lambda: timm.create_model("resnet18"),
    "timm.mobilenetv3_small_050": lambda: timm.create_model("mobilenetv3_small_050"),
    "timm.efficientnet_lite0": lambda: timm.create_model("efficientnet_lite0"),
}
each_network = pytest.mark.parametrize("name", NETWORKS)


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS[name]()


def step(network: nn.Module, *, training: bool) -> list[Tensor]:
    """Logits and gradients of one pass."""
    network.train(training)
    draw = torch.Generator().manual_seed(0)
    image = torch.randn(2, 3, SIDE, SIDE, generator=draw).requires_grad_()
    torch.manual_seed(0)  # for dropout
    logits = network(image)
    (logits * torch.randn(logits.shape, generator=draw)).sum().backward()
    gradients = [value.grad for value in (image, *network.parameters())]
    return [logits.detach(), *(gradient for gradient in gradients if gradient is not None)]


@each_network
@pytest.mark.parametrize("training", [True, False])
def test_in_place_or_not_computes_the_same_bits(name: str, training: bool) -> None:
    untouched = step(made(name), training=training)
    for inplace in (True, False):
        network = made(name)
        assert surgery.set_inplace(network, inplace=inplace) == ()
        flags = {m.inplace for m in network.modules() if "ReLU" in type(m).__name__}
        assert flags == {inplace}
        changed = step(network, training=training)
        assert len(changed) == len(untouched)
        assert all(map(torch.equal, changed, untouched))


@each_network
@pytest.mark.parametrize("kind", [nn.GroupNorm, FrozenBatchNorm2d, nn.Identity])
def test_every_batch_norm_is_exchanged_and_nothing_else(name: str, kind: type[nn.Module]) -> None:
    level = {nn.GroupNorm: "group", FrozenBatchNorm2d: "frozen", nn.Identity: "none"}[kind]
    network, before = made(name), made(name)
    norms = [module.num_features for module in before.modules() if isinstance(module, _BatchNorm)]
    assert surgery.replace_norms(network, level) == ()  # type: ignore[arg-type]
    assert not any(isinstance(module, _BatchNorm) for module in network.modules())
    identities = sum(isinstance(module, nn.Identity) for module in before.modules())
    found = sum(isinstance(module, kind) for module in network.modules())
    # timm's norms with an activation have an identity for a dropout in them.
    assert found >= len(norms) + (identities if kind is nn.Identity and "timm" not in name else 0)
    for place, module in before.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert torch.equal(network.get_parameter(f"{place}.weight"), module.weight)
    network.eval()
    assert network(torch.randn(1, 3, SIDE, SIDE)).isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("name", ["resnet18", "timm.resnet18", "timm.mobilenetv3_small_050"])
def test_a_frozen_norm_that_has_seen_nothing_is_an_evaluated_batch_norm(name: str) -> None:
    """Up to rounding: FrozenBatchNorm2d folds its factors first."""
    network, before = made(name).eval(), made(name).eval()
    surgery.replace_norms(network, "frozen")
    for module in before.modules():
        if isinstance(module, _BatchNorm):
            module.eps = 1e-5
    image = torch.randn(2, 3, SIDE, SIDE)
    torch.testing.assert_close(network(image), before(image), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("level", ["relu", "silu", "gelu", "hardswish", "leaky_relu"])
@each_network
def test_one_activation_stands_in_the_place_of_all(name: str, level: ActivationLevel) -> None:
    network, before = made(name), made(name)
    assert surgery.replace_activations(network, level) == ()
    kind = {
        "relu": "ReLU",
        "silu": "SiLU",
        "gelu": "GELU",
        "hardswish": "Hardswish",
        "leaky_relu": "LeakyReLU",
    }
    names = ("ReLU", "ReLU6", "Hardswish", "SiLU")
    had = sum(type(module).__name__ in names for module in before.modules())
    assert sum(type(module).__name__ == kind[level] for module in network.modules()) == had > 0
    gates = [sum("igmoid" in type(module).__name__ for module in one.modules()) for one in (network, before)]
    assert gates[0] == gates[1]


def test_a_pooling_keeps_its_geometry_and_says_which_it_could_not_be() -> None:
    pool = nn.MaxPool2d((3, 2), (2, 1), (1, 0), ceil_mode=True)
    dilated = nn.MaxPool2d(2, dilation=2)
    network = nn.Sequential(pool, nn.Sequential(pool), dilated, nn.AvgPool2d(2))
    assert surgery.replace_pools(network, "average") == ("1 MaxPool2d",)
    first = network[0]
    assert isinstance(first, nn.AvgPool2d)
    assert (first.kernel_size, first.stride, first.padding, first.ceil_mode) == ((3, 2), (2, 1), (1, 0), True)
    inner = network[1]
    assert isinstance(inner, nn.Sequential)
    assert inner[0] is first, "what shared a layer shares its successor"
    assert surgery.replace_pools(network, "max") == ()
    assert [type(module).__name__ for module in network] == [
        "MaxPool2d",
        "Sequential",
        "MaxPool2d",
        "MaxPool2d",
    ]


def test_what_a_change_cannot_touch_is_said() -> None:
    with torch.device("meta"):
        network = torchvision.models.convnext_tiny()
    total = sum(isinstance(module, nn.LayerNorm) for module in network.modules())
    (left,) = surgery.replace_norms(network, "batch")
    count, kind = left.split()
    assert kind == "LayerNorm"
    batch = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert int(count) + batch == total
    assert batch == 5, "of the stem, of three downsamplings and before the classifier"
    assert surgery.set_inplace(network, inplace=True) == ("18 GELU",)


@torch.no_grad()
@each_network
def test_a_grey_image_gives_what_it_gives_as_rgb(name: str) -> None:
    network, before = made(name).eval(), made(name).eval()
    surgery.set_in_channels(network, 1)
    image = torch.rand(2, 1, SIDE, SIDE)
    torch.testing.assert_close(network(image), before(image.expand(-1, 3, -1, -1)), rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="no convolution that could read 2 channels"):
        surgery.set_in_channels(nn.Linear(3, 3), 2)


class Block(nn.Module):
    """A convolution and a ReLU in place, joined in ways that bear it and in ways that do not."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.conv, self.relu = how, nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)

    def forward(self, image: Tensor) -> Tensor:
        x: Tensor = self.conv(image)
        match self.how:
            case "sum before":
                other = x.mean()
                return self.relu(x) * 2 + other  # type: ignore[no-any-return]
            case "read again":
                return self.relu(x) + x  # type: ignore[no-any-return]
            case "viewed again":
                return self.relu(x).flatten(1) + x.view(len(x), -1)  # type: ignore[no-any-return]
            case "view from before":
                other = x.flatten(1)
                self.relu(x)
                return other
            case "kept for backward":
                return x.exp().sum() + (x * x).sum() + self.relu(x)  # type: ignore[no-any-return]
        return self.relu(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("alone", None),
        ("sum before", None),
        ("read again", "what relu would overwrite is read again"),
        ("viewed again", "what relu would overwrite is read again"),
        ("view from before", "what relu would overwrite is read again"),
        ("kept for backward", "the backward pass needs what an activation would overwrite"),
    ],
)
def test_what_overwriting_would_change_is_seen_without_a_number(
    how: str, said: str | None, device: str
) -> None:
    with torch.device(device):
        block, image = Block(how), torch.ones(2, 3, 8, 8)
        assert overwriting.why_not_inplace(block, image) == said
    assert not block.relu._forward_hooks
    if said is None or device == "meta":
        return
    changed, plain = Block(how), Block(how)
    plain.load_state_dict(changed.state_dict())
    plain.relu.inplace = False
    if "backward" in said:
        with pytest.raises(RuntimeError, match="inplace operation"):
            changed(image).sum().backward()
    else:
        assert not torch.equal(changed(image), plain(image)), "the numbers say so too"


class Deciding(nn.Module):
    """A network that goes by what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.sum() > 0:
            images = self.layer(images)
        result: torch.Tensor = self.norm(images)
        return result


def test_what_follows_what_must_be_known_to_fold_it() -> None:
    expected = r"^Deciding: BatchNorm cannot be folded: symbolically traced variables cannot be used"
    with pytest.raises(ValueError, match=expected):
        surgery.fold_batchnorms(Deciding())


@pytest.mark.parametrize(
    "name", ["resnet:depth=18,width=8", "torchvision.mobilenet_v3_small", "timm.resnet18"]
)
def test_a_folded_network_computes_the_same_up_to_rounding(name: str) -> None:
    network = ablations.build(name)
    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    network(images)  # so that the statistics are not those of the beginning
    folded = surgery.fold_batchnorms(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(folded(images), network.eval()(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_that_are_all_the_same_are_seen_as_the_one_grey_image_that_they_are(channels: int) -> None:
    network, more = (torchvision.models.resnet18().eval() for _ in range(2))
    more.load_state_dict(network.state_dict())
    surgery.set_in_channels(more, channels)
    grey = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        seen = more(grey.expand(-1, channels, -1, -1))
        torch.testing.assert_close(seen, network(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("inplace", [True, False])
def test_an_activation_overwrites_where_that_before_it_did(inplace: bool) -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(inplace=inplace))
    surgery.replace_activations(network, "silu")
    assert vars(network[1])["inplace"] is inplace

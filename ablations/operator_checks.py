"""What operators do, by exercising them: checks that claims about semantics rest on; seeded, on the CPU."""

import math
from typing import TYPE_CHECKING

from ablations.claims import Finding

if TYPE_CHECKING:
    from torch import Tensor, nn

_STEPS, _SEEDS = 20, 6


def normalised_in_training() -> Finding:
    """Means and variances behind a fresh BatchNorm in training."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    out = nn.BatchNorm2d(8)(3 + 5 * torch.randn(16, 8, 9, 9))
    mean, variance = out.mean((0, 2, 3)).abs().max(), (out.var((0, 2, 3), correction=0) - 1).abs().max()
    said = f"a fresh layer: channel means within {mean:.0e} of 0, variances within {variance:.0e} of 1"
    return Finding(bool(mean < 1e-4 and variance < 1e-3), said)


def normalised_once_trained() -> Finding:
    """Means and variances behind a BatchNorm with a scale and an offset."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    layer = nn.BatchNorm2d(8)
    with torch.no_grad():
        layer.weight.uniform_(0.5, 2)
        layer.bias.uniform_(-1, 1)
    out = layer(3 + 5 * torch.randn(16, 8, 9, 9))
    means, variances = out.mean((0, 2, 3)), out.var((0, 2, 3), correction=0)
    theirs = bool(torch.allclose(means, layer.bias, atol=1e-3))
    theirs &= bool(torch.allclose(variances, layer.weight**2, rtol=1e-2))
    said = f"means {means.min():+.2f} to {means.max():+.2f}, variances {variances.min():.2f} to"
    said += f" {variances.max():.2f}: " + (
        "the layer's own offset and scale squared" if theirs else "neither"
    )
    return Finding(bool(means.abs().max() < 0.01 and (variances - 1).abs().max() < 0.01), said)


def each_batch_in_evaluation() -> Finding:
    """The mean of a shifted batch behind a BatchNorm in evaluation."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    layer = nn.BatchNorm2d(4)
    for _ in range(200):
        layer(torch.randn(16, 4, 5, 5))
    out = layer.eval()(2 + torch.randn(16, 4, 5, 5))
    return Finding(bool(out.mean().abs() < 0.1), f"a batch shifted by 2 comes out with mean {out.mean():.2f}")


def _plain_network(norm: bool, depth: int, width: int = 16) -> "nn.Sequential":
    from torch import nn

    layers: list[nn.Module] = []
    for i in range(depth):
        layers.append(nn.Conv2d(1 if i == 0 else width, width, 3, padding=1, bias=not norm))
        layers += [nn.BatchNorm2d(width)] if norm else []
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def _digits() -> "tuple[Tensor, Tensor]":
    import torch
    from sklearn.datasets import load_digits

    found = load_digits()
    images = torch.tensor(found.images, dtype=torch.float32)[:, None] / 8 - 1
    return images, torch.tensor(found.target)


def _shift(norm: bool, seed: int, *, ahead: bool) -> float:
    """How far a channel's mean moves from batch to batch in the middle of training, in standard deviations.

    Of what BatchNorm puts out, or `ahead` of it: of what the convolution before it does.
    """
    import torch
    from torch import nn

    images, labels = _digits()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _plain_network(norm, 8)
        middle = [i for i, layer in enumerate(network) if isinstance(layer, nn.ReLU)][3]
        middle -= int(ahead and norm)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
        means, spreads = [], []
        for _ in range(_STEPS):
            batch = torch.randint(len(images), (64,))
            reached = network[:middle](images[batch])
            loss = nn.functional.cross_entropy(network[middle:](reached), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            means.append(reached.detach().mean((0, 2, 3)))
            spreads.append(reached.detach().std((0, 2, 3)))
    moves = (torch.stack(means).diff(dim=0).abs() / torch.stack(spreads)[1:].clamp_min(1e-12)).median()
    return float(moves)


def distributions_stop_shifting() -> Finding:
    """How far channel means behind a BatchNorm move from batch to batch in training, and without one."""
    return _shifting(ahead=False)


def distributions_ahead_stop_shifting() -> Finding:
    """The same of what a convolution puts out, which is what BatchNorm is given."""
    return _shifting(ahead=True)


def _shifting(*, ahead: bool) -> Finding:
    with_, without = (
        sorted(_shift(norm, seed, ahead=ahead) for seed in range(_SEEDS)) for norm in (True, False)
    )
    what = "what the fourth convolution puts out" if ahead else "what reaches the fourth ReLU"
    said = (
        f"eight plain layers, digits, {_STEPS} steps, {_SEEDS} seeds: {what} moves by {with_[0]:.1g} to"
        f" {with_[-1]:.1g} standard deviations a step, {without[0]:.1g} to {without[-1]:.1g} without"
    )
    overlap = with_[0] <= without[-1] and without[0] <= with_[-1]
    return Finding(None if overlap else with_[-1] < without[0], said)


def _gradient_ratio(norm: bool, seed: int, *, kaiming: bool = False) -> float:
    """Gradient of the first convolution over that of the last, each relative to its weight."""
    import torch
    from torch import nn

    images, labels = _digits()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _plain_network(norm, 20)
        for layer in network if kaiming else ():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        batch = torch.randint(len(images), (64,))
        nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
    layers = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    norms = []
    for layer in (layers[0], layers[-1]):
        assert layer.weight.grad is not None
        norms.append(float(layer.weight.grad.norm() / layer.weight.detach().norm()))
    return norms[0] / norms[1]


def gradients_do_not_vanish() -> Finding:
    """The first layer's gradient over the last one's in a deep plain network, with BatchNorm and without."""
    return _vanishing(kaiming=False)


def gradients_do_not_vanish_from_kaiming() -> Finding:
    """The same from Kaiming's initialisation."""
    return _vanishing(kaiming=True)


def _vanishing(*, kaiming: bool) -> Finding:
    ratios = (
        [_gradient_ratio(norm, seed, kaiming=kaiming) for seed in range(_SEEDS)] for norm in (True, False)
    )
    with_, without = map(sorted, ratios)
    said = (
        f"twenty plain layers, {_SEEDS} seeds: the first layer's gradient is {_short(with_[0])} to"
        f" {_short(with_[-1])} times the last one's, {_short(without[0])} to {_short(without[-1])} without"
    )
    return Finding(with_[0] > 0.01 > without[-1], said)


def _short(number: float) -> str:
    """`83`, `0.6`, `4e-09`."""
    return f"{number:.0f}" if number >= 10 else f"{number:.1g}"


def _block(inplace: bool) -> "nn.Sequential":
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace), nn.Conv2d(8, 8, 3))


def same_gradients() -> Finding:
    """Gradients with a ReLU in place and out of place."""
    import torch

    found = []
    for inplace in (True, False):
        network = _block(inplace)
        torch.manual_seed(1)
        network(torch.randn(4, 3, 12, 12)).square().sum().backward()
        found.append([parameter.grad for parameter in network.parameters()])
    same = all(
        one is not None and other is not None and torch.equal(one, other)
        for one, other in zip(*found, strict=True)
    )
    return Finding(same, "all gradients are equal in every bit" if same else "some gradients differ")


def overwrites_its_input() -> Finding:
    """The input of a ReLU in place, afterwards."""
    import torch
    from torch import nn

    given = torch.tensor([-1.0, 2.0])
    before = given.data_ptr()
    out = nn.ReLU(inplace=True)(given)
    said = f"[-1, 2] reads {[float(x) for x in given]} afterwards"
    return Finding(given.tolist() == [0.0, 2.0] and out.data_ptr() == before, said)


def stride_of_the_kernel() -> Finding:
    """Sizes behind max pooling without a stride."""
    import torch
    from torch import nn

    sizes = {kernel: nn.MaxPool2d(kernel)(torch.zeros(1, 1, 60, 60)).shape[-1] for kernel in (2, 3, 5)}
    said = ", ".join(f"kernel {kernel}: 60 to {size}" for kernel, size in sizes.items())
    return Finding(all(size == 60 // kernel for kernel, size in sizes.items()), said)


def stride_pairs() -> Finding:
    """The pixels that a stride pair takes."""
    import torch
    from torch import nn

    image = torch.arange(48.0).reshape(1, 1, 6, 8)
    out = nn.MaxPool2d(1, stride=(3, 2))(image)
    expected = image[:, :, ::3, ::2]
    taken = "rows 0, 3 and columns 0, 2, 4, 6" if torch.equal(out, expected) else "other pixels"
    return Finding(bool(torch.equal(out, expected)), f"stride (3, 2) takes {taken} of 6x8")


def padded_with_zeros() -> Finding:
    """Max pooling of a negative image at its border."""
    import torch
    from torch import nn

    out = nn.MaxPool2d(3, stride=1, padding=1)(torch.full((1, 1, 3, 3), -5.0))
    seen = sorted(set(out.flatten().tolist()))
    said = f"max pooling of an image of -5 gives {', '.join(f'{x:g}' for x in seen)} at the border"
    return Finding(0.0 in seen, f"{said}: padded with minus infinity" if seen == [-5.0] else said)


def averages_zeros() -> Finding:
    """Average pooling of a constant image at its corner."""
    import torch
    from torch import nn

    out = nn.AvgPool2d(3, stride=1, padding=1)(torch.full((1, 1, 3, 3), 9.0))
    return Finding(
        float(out[0, 0, 0, 0]) == 4.0, f"a corner of an image of 9 averages to {out[0, 0, 0, 0]:g} (4 of 9)"
    )


def padding_pairs() -> Finding:
    """The size behind max pooling with a padding pair."""
    import torch
    from torch import nn

    out = nn.MaxPool2d(3, stride=1, padding=(1, 0))(torch.zeros(1, 1, 7, 7))
    return Finding(
        tuple(out.shape[2:]) == (7, 5), f"7x7 becomes {out.shape[2]}x{out.shape[3]} with padding (1, 0)"
    )


def no_dilation() -> Finding:
    """Windows of max pooling without a dilation."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    image = torch.randn(1, 2, 9, 9)
    same = torch.equal(nn.MaxPool2d(3)(image), nn.MaxPool2d(3, dilation=1)(image))
    other = torch.equal(nn.MaxPool2d(3, 1)(image), nn.MaxPool2d(3, 1, dilation=2)(image))
    windows = image.unfold(2, 3, 1).unfold(3, 3, 1).amax((-1, -2))
    plain = torch.equal(nn.MaxPool2d(3, 1)(image), windows)
    said = "without it windows are of neighbours" if plain else "windows skip pixels"
    return Finding(same and plain and not other, said)


def is_the_network() -> Finding:
    """Stem, pool and stages of torchvision's ResNet-50 chained by hand, against the network itself."""
    import torch
    import torchvision

    torch.manual_seed(0)
    theirs = torchvision.models.resnet50().eval()
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        out = torch.nn.MaxPool2d(3, 2, 1)(theirs.relu(theirs.bn1(theirs.conv1(image))))
        for stage in (theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4):
            out = stage(out)
        same = torch.equal(theirs.fc(theirs.avgpool(out).flatten(1)), theirs(image))
    sizes = f"a map of {out.shape[-1]} px from 64, {out.shape[1]} channels"
    return Finding(
        same and math.isclose(out.shape[-1], 2),
        f"{sizes}; torchvision's own output: {'equal' if same else 'other'}",
    )

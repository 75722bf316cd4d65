"""torchvision's and timm's networks by name, with the factors that any module has.

`torchvision.mobilenet_v3_small` and `timm.convnext_atto` are architectures like those registered, as the
libraries build and initialise them; their factors are changes of `ablations.surgery`.
"""

import importlib.util
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ablations.factor import EQUIVALENT, Examples, Range, nearest

if TYPE_CHECKING:
    from torch import nn

    from ablations.registry import Architecture

LIBRARIES = ("torchvision", "timm")
OWN = "own"
"""The level that leaves a network as its library builds it."""

_SIDE = 224
"""Pixels that all of torchvision's classification networks can read."""
_WITH_AUXILIARY_HEADS = ("googlenet", "inception_v3")
"""Of torchvision's; built without them, since the libraries weigh them in no loss of their own."""


def is_named(name: str) -> bool:
    """Whether a name is `LIBRARY.MODEL`."""
    return name.partition(".")[0] in LIBRARIES and "." in name


@cache
def get(name: str) -> "Architecture":
    """A library's network as an architecture.

    Args:
        name: `torchvision.MODEL` or `timm.MODEL`.

    Raises:
        ValueError: The library is not installed or has no such network; the message has the nearest.
    """
    from ablations.registry import Architecture

    library, _, model = name.partition(".")
    if importlib.util.find_spec(library) is None:
        raise ValueError(f"architecture {name!r} needs {library}: run pip install {library}")
    known = models(library)
    if model not in known:
        raise ValueError(f"{library} has no network {model!r}{_near(model, known)}")

    def construct(
        *,
        in_channels: Annotated[int, Range(1, 1024), Examples(1)] = 3,
        num_classes: Annotated[int, Range(1, 100_000), Examples(10)] = 1000,
        relu: Annotated[Literal["own", "inplace", "out_of_place"], EQUIVALENT] = "own",
        activation: Literal["own", "relu", "silu", "gelu", "hardswish", "leaky_relu"] = "own",
        norm: Literal["own", "batch", "none", "group", "frozen"] = "own",
        pool: Literal["own", "max", "average"] = "own",
    ) -> Any:
        """A library's network.

        Args:
            in_channels: Channels of the image; other than 3, each has the mean of the first convolution's
                weights, scaled.
            num_classes: Entries of the output.
            relu: Whether activations overwrite their input, those that can; own leaves each as it is.
                inplace is refused where that input is read by others too.
            activation: What stands in the place of each activation layer; sigmoids that gate stay.
            norm: What stands in the place of each normalisation of channels; with none, convolutions keep
                what they have, most often no bias.
            pool: What a pooling with a window takes of it.
        """
        return _built(
            library,
            model,
            in_channels=in_channels,
            num_classes=num_classes,
            relu=relu,
            activation=activation,
            norm=norm,
            pool=pool,
        )

    construct.__name__ = construct.__qualname__ = name
    summary = f"{library}'s {model}, with changes that any network allows."
    return Architecture.of(name, summary, construct, Path(__file__).resolve())


def families() -> "dict[str, Architecture]":
    """By library that is installed, what its networks have in common; none of them is built."""
    from dataclasses import replace

    common = get("torchvision.resnet18")
    return {
        library: replace(common, summary=f"{library}'s networks by name, e.g. {library}.resnet18.")
        for library in LIBRARIES
        if importlib.util.find_spec(library) is not None
    }


def models(library: str) -> tuple[str, ...]:
    """The classification networks that a library builds by name; the library must be installed."""
    if library == "timm":
        import timm

        return tuple(timm.list_models())
    import torchvision

    return tuple(torchvision.models.list_models(module=torchvision.models))


def _near(model: str, known: tuple[str, ...]) -> str:
    """The nearest name, and never all thousand."""
    said = nearest(model, known)
    return said if said.startswith("; did") else f"; one of its {len(known)}, e.g. {known[0]}"


def _built(library: str, model: str, *, in_channels: int, num_classes: int, **levels: Any) -> "nn.Module":
    from ablations import surgery

    network = _created(library, model, num_classes)
    if in_channels != 3:
        surgery.set_in_channels(network, in_channels)
    left: dict[str, tuple[str, ...]] = {}
    if levels["norm"] != OWN:
        left["norm"] = surgery.replace_norms(network, levels["norm"])
    if levels["activation"] != OWN:
        left["activation"] = surgery.replace_activations(network, levels["activation"])
    if levels["pool"] != OWN:
        left["pool"] = surgery.replace_pools(network, levels["pool"])
    if levels["relu"] == "inplace" and (reason := _why_not_inplace(library, model)):
        raise ValueError(f"relu=inplace would compute something else: {reason}; use relu=own or out_of_place")
    if levels["relu"] != OWN:
        left["relu"] = surgery.set_inplace(network, inplace=levels["relu"] == "inplace")
    # Its own initialisation is part of the network; the layers that were put in draw nothing.
    network.own_initialisation = True  # type: ignore[assignment]
    network.untouched = {  # type: ignore[assignment]
        factor: kinds for factor, kinds in left.items() if kinds
    }
    return network


@cache
def _why_not_inplace(library: str, model: str) -> str | None:
    """As `overwriting.why_not_inplace`; None too where the network cannot be looked at without data."""
    import torch

    from ablations import overwriting, surgery

    with torch.device("meta"), suppress(Exception):
        network = _created(library, model, 10)
        surgery.set_inplace(network, inplace=True)
        size = getattr(network, "default_cfg", {}).get("input_size", (3, _SIDE, _SIDE))
        return overwriting.why_not_inplace(network, torch.empty(2, *size))
    return None


def _created(library: str, model: str, num_classes: int) -> "nn.Module":
    import torch

    network: nn.Module
    try:
        network = _create(library, model, num_classes)
    except NotImplementedError:
        # A constructor that computes its widths with tensors (RegNet's) needs a device that has numbers.
        with torch.device("cpu"):
            network = _create(library, model, num_classes)
        network = network.to(torch.get_default_device())
    return network


def _create(library: str, model: str, num_classes: int) -> Any:
    if library == "timm":
        import timm

        return timm.create_model(model, pretrained=False, num_classes=num_classes)
    import torchvision

    settings: dict[str, Any] = {"weights": None, "num_classes": num_classes}
    if model in _WITH_AUXILIARY_HEADS:
        settings |= {"aux_logits": False, "init_weights": True}
    return torchvision.models.get_model(model, **settings)

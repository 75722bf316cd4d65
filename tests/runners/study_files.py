"""Study files for tests: written as TOML from plain values, about a network that plans in milliseconds."""

import datetime
from pathlib import Path
from typing import Any

TINY = '''
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from ablations import Examples, Range, architecture


class Tiny(nn.Module):
    def __init__(self, in_channels: int, num_classes: int, kernel: int | tuple[int, int], fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.entry = nn.Conv2d(in_channels, 4, kernel)
        self.head = nn.Linear(4, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        if self.fault == "key":
            raise KeyError("planted")
        if self.fault == "channels":
            image = image[:, :0]
        features = self.entry(image).mean((2, 3))
        if self.fault == "training" and self.training:
            raise RuntimeError("planted: not in training")
        if self.fault == "gradient" and self.training:
            features = features + torch.autograd.grad(features.sum(), self.entry.weight)[0].sum()
        if self.fault == "value" and float(features.detach().sum()) > 1e9:
            raise RuntimeError("planted: decided by a value")
        if self.fault == "wrong value" and float(features.detach().sum()) < 1e9:
            raise RuntimeError("planted: decided by a value")
        return self.head(features)


@architecture
def {name}(
    *,
    kernel: Annotated[int | tuple[int, int], Range(1, 40), Examples(3)] = 1,
    wide: bool = False,
    fault: Literal["none", "key", "channels", "training", "gradient", "value", "wrong_value"] = "{fault}",
    in_channels: Literal[1, 3] = 3,
    num_classes: Annotated[int, Range(1, 1000), Examples(10)] = 100,
) -> nn.Module:
    """A network for tests.

    Args:
        kernel: Of the one convolution.
        wide: Changes nothing.
        fault: What goes wrong.
        in_channels: Of the image.
        num_classes: Of the output.
    """
    if wide and kernel == 7:
        raise ValueError("wide has no kernel of 7; set wide=false")
    return Tiny(in_channels, num_classes, kernel, fault.replace("_", " "))
'''


def write_tiny(folder: Path, name: str, *, fault: str = "none") -> Path:
    """The network as a plugin, registered under a name that no other test uses."""
    path = folder / f"{name}.py"
    path.write_text(TINY.replace("{name}", name).replace("{fault}", fault))
    return path


def toml(value: object) -> str:
    """A value as TOML has it."""
    match value:
        case bool():
            return str(value).lower()
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case str():
            return '"' + "".join(_escaped(character) for character in value) + '"'
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{toml(str(key))} = {toml(item)}' for key, item in value.items())}}}"
    return str(value)


def write_study(path: Path, content: dict[str, Any]) -> Path:
    """A study file that holds these keys."""
    path.write_text("".join(f"{toml(key)} = {toml(value)}\n" for key, value in content.items()), "utf-8")
    return path


def _escaped(character: str) -> str:
    plain = character.isprintable() and character not in '"\\'
    return character if plain else f"\\U{ord(character):08x}"

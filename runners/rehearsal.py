"""Arms tried once before anything runs: built, and shown images of the workload's size.

On tensors without data, so that a network of any size takes milliseconds. What fails there would fail in
every process of a run.
"""

import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from ablations import Architecture, Level, execution, surgery
from ablations.registry import Constructor
from ablations.variant import canonical
from runners.memory.shapes import ShapeMemo
from runners.operator_counts import complexity
from runners.outcomes import in_channels
from runners.probes import Mode

IMAGES = 2
"""Enough for BatchNorm in training, which a map of one pixel and one image would stop."""
_AMPLE_PIXELS = 512
"""An image that any geometry of a stem can hold."""
_PACKAGES = tuple(str(Path(file).parent) for file in (torch.__file__, __file__))
"""Whose lines say nothing of what is wrong with a network."""
_MEMO = ShapeMemo({})

Kind = Literal["unbuildable", "too small", "failing"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an arm cannot run.

    Attributes:
        kind: `unbuildable` by its constructor; `too small` are images that it would hold if they were
            larger; `failing` on any image.
        reason: In a line, with the place where it was raised.
        cause: Equal where two arms fail in the same way, whatever figures their messages name.
    """

    kind: Kind
    reason: str
    cause: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it.

    Attributes:
        macs: Multiply-accumulates for one image; 0 where they cannot be observed.
        problem: Why the arm cannot run; None where it can.
        untouched: What a factor could not change: `norm leaves 18 LayerNorm as they are`.
    """

    macs: int
    problem: Problem | None = None
    untouched: tuple[str, ...] = ()


_done: dict[tuple[Constructor, str, int, int, frozenset[Mode]], Rehearsal] = {}


def rehearse(
    architecture: Architecture,
    levels: Mapping[str, Level],
    image_size: int,
    *,
    images: int = IMAGES,
    modes: frozenset[Mode] = frozenset({"train", "inference"}),
) -> Rehearsal:
    """Try a variant, each once a process.

    Args:
        architecture: The network family.
        levels: A level for each of its factors.
        image_size: Height and width in pixels.
        images: Images a step in training.
        modes: What the workload does with it.
    """
    name = canonical(architecture.name, levels)
    key = (architecture.construct, name, image_size, images, modes)
    if key not in _done:
        _done[key] = _rehearse(architecture, levels, image_size, images, modes)
    return _done[key]


def _rehearse(
    architecture: Architecture,
    levels: Mapping[str, Level],
    image_size: int,
    images: int,
    modes: frozenset[Mode],
) -> Rehearsal:
    try:
        variant, network = architecture.sketch(levels)
    except ValueError as error:
        return Rehearsal(0, Problem("unbuildable", str(error), "unbuildable"))
    found = _tried(architecture, levels, network, (in_channels(variant), image_size), images, modes)
    left: Mapping[str, tuple[str, ...]] = getattr(network, "untouched", {})
    if execution.asked(levels).get("fold_batchnorm") == "true":
        try:
            left = {**left, "fold_batchnorm": surgery.unfolded(network)}
        except ValueError as error:
            return Rehearsal(found.macs, Problem("unbuildable", str(error), "unbuildable"))
    return replace(found, untouched=_untouched(left))


def _untouched(left: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(f"{factor} leaves {', '.join(kinds)} as they are" for factor, kinds in left.items() if kinds)


def _tried(
    architecture: Architecture,
    levels: Mapping[str, Level],
    network: nn.Module,
    image: tuple[int, int],
    images: int,
    modes: frozenset[Mode],
) -> Rehearsal:
    channels, image_size = image
    with suppress(Exception), torch.no_grad():  # faster, and right but for networks that take gradients
        return Rehearsal(_without_data(network, channels, image_size, images, modes))
    try:
        return Rehearsal(_without_data(network, channels, image_size, images, modes))
    except Exception as error:  # noqa: BLE001 - a network may fail in any way
        failure = error
    if isinstance(failure, NotImplementedError) or "meta" in str(failure):
        return Rehearsal(0, _with_data(architecture, levels, image, images, modes))
    try:
        _without_data(network, channels, max(_AMPLE_PIXELS, image_size), images, modes)
    except Exception:  # noqa: BLE001
        return Rehearsal(0, _problem(failure))
    reason = f"an image of {image_size} px does not fit through the network: {_line(failure)}"
    return Rehearsal(0, Problem("too small", reason, "too small"))


def _without_data(
    network: nn.Module, channels: int, image_size: int, images: int, modes: frozenset[Mode]
) -> int:
    """MACs for one image, once the network has seen images in each mode."""
    with _MEMO.active():
        if "train" in modes:  # in which it was built: telling each module again would take a tenth of it all
            network(torch.empty(images, channels, image_size, image_size, device="meta"))
        try:
            return complexity(network, image_size, channels).macs
        except ValueError as error:
            raise error.__cause__ or error from None  # as the network put it


def _with_data(
    architecture: Architecture,
    levels: Mapping[str, Level],
    image: tuple[int, int],
    images: int,
    modes: frozenset[Mode],
) -> Problem | None:
    """What a network does that asks for values, as one does that decides by them."""
    channels, size = image
    try:
        with torch.random.fork_rng(devices=[]):
            network = architecture.construct(**levels)
            for mode in modes:
                with torch.set_grad_enabled(mode == "train"):
                    network.train(mode == "train")(torch.rand(images, channels, size, size))
    except Exception as error:  # noqa: BLE001
        return _problem(error)
    return None


def _problem(error: Exception) -> Problem:
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_PACKAGES)]
    place = f" ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})" if theirs else ""
    kind = type(error).__name__
    return Problem("failing", f"{kind}: {_line(error)}{place}", f"{kind}{place}")


def _line(error: Exception) -> str:
    """The first line of its message: PyTorch's others are about itself."""
    return " ".join(str(error).strip().partition("\n")[0].split())

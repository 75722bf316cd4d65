"""Looks inside a network while it trains: gradients, activations and dead units, layer by layer.

Hooks read what passes by, and gradients are read where the backward pass left them. No pass is added, nothing
is drawn, written over or kept for long, so that a training goes on bit for bit as it would unobserved.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ablations.checkpointing import computing_again
from results.records.inside import LayerCurves
from results.records.values import LARGEST_NUMBER

_RECTIFIERS = (nn.ReLU, nn.ReLU6)
"""What puts out nothing below zero, so that a unit can be dead."""
_ACTIVATIONS = (
    *_RECTIFIERS,
    nn.LeakyReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Tanh,
    nn.Sigmoid,
)
_TELLS_APART = 1e-5
"""A channel that varies by less than this share of its mean is constant as far as float32 can tell."""
_MEDIAN_OF_ABSOLUTE_NORMAL = 0.6744897501960817
_DIGITS = 6
"""As many as float32 holds."""
_Array = np.ndarray[Any, np.dtype[np.float64]]


class Note(NamedTuple):
    """One value of one layer at one step; names as in `LayerCurves`."""

    what: str
    step: int
    layer: str
    depth: int
    channels: int
    value: float | None


@dataclass(slots=True)
class Seen:
    """What looks have found so far; with it, a training that was cut off goes on as if nothing had happened.

    Attributes:
        notes: In the order in which they were taken.
        means: Of the channels in the last batch that was listened to, by layer.
    """

    notes: list[Note] = field(default_factory=list)
    means: dict[str, Tensor] = field(default_factory=dict)


def look_steps(total: int, looks: int) -> frozenset[int]:
    """Steps, 1 first, evenly from the first to the last; a single look is at the last."""
    if looks <= 1:
        return frozenset({total} if looks else ())
    return frozenset(1 + round((total - 1) * place / (looks - 1)) for place in range(looks))


class Inside:
    """Listens to a network at some steps of its training.

    A look compares its batch with the one before, to which it listens too; the first batch of all has none
    before it, so that its drift is that of the second.
    """

    def __init__(self, network: nn.Module, looks: frozenset[int], seen: Seen) -> None:
        """Listen at these steps, 1 first, and add what is found to what was seen."""
        self._modules = [(n, m) for n, m in network.named_modules() if _is_heard(m)] if looks else []
        self._looks, self._seen = looks, seen
        self._drifts = frozenset(max(2, step) for step in looks)
        self._listening: _Forward | None = None

    def before(self, step: int) -> None:
        """To be called before the forward pass of a step."""
        wholly = step in self._looks or step in self._drifts
        if wholly or step + 1 in self._drifts:
            self._listening = _Forward(self._modules, means_only=not wholly)

    def after(self, step: int) -> None:
        """To be called after the backward pass of a step, before the optimizer changes the weights."""
        heard, self._listening = self._listening, None
        if heard is None:
            return
        heard.stop()
        with np.errstate(all="ignore"):  # a training may diverge
            found = [*heard.gradients(), *heard.activations()] if step in self._looks else []
            found += heard.drifts(self._seen.means) if step in self._drifts else []
        self._seen.notes += [Note(what, step, *place, _finite(value)) for what, place, value in found]
        self._seen.means = heard.means


class _Place(NamedTuple):
    layer: str
    depth: int
    channels: int


_Found = Iterator[tuple[str, _Place, float]]


class _Input(NamedTuple):
    """What reached an activation: channel means of each image (N, C), means and variances of channels (C)."""

    by_image: _Array
    mean: _Array
    variance: _Array


class _Forward:
    """One forward pass, listened to; what is read is detached, so that nothing of it is differentiated."""

    def __init__(self, modules: Iterable[tuple[str, nn.Module]], *, means_only: bool) -> None:
        self.means: dict[str, Tensor] = {}
        self._weights: dict[_Place, nn.Parameter] = {}
        self._inputs: dict[_Place, tuple[Tensor, Tensor, Tensor]] = {}
        self._sums: dict[_Place, Tensor] = {}
        self._calls: Counter[str] = Counter()
        self._means_only = means_only
        self._heard: dict[_Place, _Input] = {}
        self._handles: list[RemovableHandle] = []
        for name, module in modules:
            if isinstance(module, _ACTIVATIONS):
                # Before it runs: in place, its input is gone afterwards.
                self._handles.append(module.register_forward_pre_hook(partial(self._activate, name)))
                if isinstance(module, _RECTIFIERS) and not means_only:
                    self._handles.append(module.register_forward_hook(partial(self._activated, name)))
            elif not means_only:
                self._handles.append(module.register_forward_pre_hook(partial(self._enter, name)))

    def stop(self) -> None:
        """Listen no more, and read what was heard."""
        for handle in self._handles:
            handle.remove()
        self._heard = {place: _Input(*map(_numbers, found)) for place, found in self._inputs.items()}

    def _enter(self, name: str, module: nn.Module, *_: Any) -> None:
        if computing_again():
            return
        self._calls[name] += 1
        if self._calls[name] == 1:
            weight = module._parameters["weight"]
            assert weight is not None
            channels = getattr(module, "out_channels", len(weight))
            self._weights[_Place(name, len(self._weights) + 1, channels)] = weight

    def _activate(self, name: str, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        if computing_again():
            return
        self._calls[name] += 1
        if not inputs or inputs[0].ndim < 2:
            return
        x: Tensor = inputs[0].detach()
        x = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        behind = tuple(range(2, x.ndim))
        layer = self._layer(name)
        if self._means_only:
            self.means[layer] = x.mean((0, *behind))
            return
        by_image = x.mean(behind) if behind else x.clone()
        self.means[layer] = mean = by_image.mean(0)
        centred = x - mean.reshape(1, -1, *(1 for _ in behind))
        variance = centred.square_().mean((0, *behind))
        self._inputs[_Place(layer, len(self._weights), len(mean))] = by_image, mean, variance

    def _activated(self, name: str, _: nn.Module, __: tuple[Any, ...], output: Tensor) -> None:
        if output.ndim >= 2 and not computing_again():
            # Nothing in it is below zero: a sum of 0 is a channel of zeros, and found faster than a maximum.
            total = output.detach().sum((0, *range(2, output.ndim)), dtype=torch.float32)
            self._sums[_Place(self._layer(name), len(self._weights), len(total))] = total

    def _layer(self, name: str) -> str:
        return name if (call := self._calls[name]) == 1 else f"{name}:{call}"

    def gradients(self) -> _Found:
        """Norms of the weights' gradients, and the same over those of the weights."""
        known = {
            place: (weight.grad, weight) for place, weight in self._weights.items() if weight.grad is not None
        }
        if not known:
            return
        norms = [torch.linalg.vector_norm(x.detach()) for pair in known.values() for x in pair]
        found = torch.stack(norms).tolist()
        for place, gradient, weight in zip(known, found[::2], found[1::2], strict=True):
            yield "gradient_norm", place, gradient
            yield "gradient_to_weight", place, gradient / weight if weight else math.nan

    def activations(self) -> _Found:
        """Mean and variance over all that reached an activation, and the share of channels that are dead."""
        for place, heard in self._heard.items():
            yield "input_mean", place, float(heard.mean.mean())
            # All channels have as many elements: within them, and between their means.
            yield "input_variance", place, float(heard.variance.mean() + heard.mean.var())
        for place, total in self._sums.items():
            yield "dead_share", place, float((_numbers(total) <= 0).mean())

    def drifts(self, before: dict[str, Tensor]) -> _Found:
        """How far channels have moved since the batch before, and how far other images alone would move them.

        The difference of the means of two batches of N independent images has the variance 2 / N times that
        of a single image's mean; the median of a normal variable's size is 0.67 of its deviation.
        """
        for place, (by_image, means, variance) in self._heard.items():
            sd = np.sqrt(variance)
            # A channel that does not vary as far as float32 can tell has no deviation to measure by.
            varies = sd > _TELLS_APART * np.abs(means)
            if place.layer in before:
                moved = np.abs(means - _numbers(before[place.layer]))
                yield "input_drift", place, _median(moved[varies] / sd[varies])
            if (count := len(by_image)) > 1:
                images = np.sqrt(((by_image - means) ** 2).sum(0) / (count - 1) * (2 / count))
                typical = _median(images[varies] / sd[varies])
                yield "chance_drift", place, _MEDIAN_OF_ABSOLUTE_NORMAL * typical


def _is_heard(module: nn.Module) -> bool:
    weight = module._parameters.get("weight")
    return isinstance(module, _ACTIVATIONS) or (weight is not None and weight.ndim >= 2)


def _numbers(x: Tensor) -> _Array:
    return x.cpu().numpy().astype(np.float64)


def _median(values: _Array) -> float:
    """As numpy's, ten times as fast for a few values; NaN of none, or where one is NaN."""
    ordered, count = np.sort(values), len(values)
    if count == 0 or np.isnan(ordered[-1]):
        return math.nan
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _finite(value: float) -> float | None:
    """What a record can hold of a number."""
    return float(f"{value:.{_DIGITS}g}") if abs(value) < LARGEST_NUMBER else None


def layer_curves(notes: Sequence[Note]) -> list[LayerCurves]:
    """Notes by quantity; layers in the order in which they were entered."""
    found = []
    for what in dict.fromkeys(note.what for note in notes):
        mine = {(note.step, _Place(*note[2:5])): note.value for note in notes if note.what == what}
        steps = tuple(sorted({step for step, _ in mine}))
        places = tuple(dict.fromkeys(place for _, place in mine))
        layers, depths, channels = zip(*places, strict=True)
        values = tuple(tuple(mine.get((step, place)) for place in places) for step in steps)
        found.append(LayerCurves(what, layers, depths, channels, steps, values))
    return found

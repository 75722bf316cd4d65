"""What `ablate memory` answers: a step's memory in figures, its explanation, and what batch a card holds."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

import ablations
from ablations import Variant
from results.records.files import dump
from runners.cards import cards_by_size
from runners.errors import BadInput
from runners.memory.fit import SAFETY_MARGIN, largest_batch
from runners.memory.layers import measure_layers
from runners.memory.measure import AllocatorMeasurement, measure_allocator
from runners.memory.settings import StepSettings, Target
from runners.memory.simulate import simulate
from runners.memory.story import against as difference_story
from runners.outcomes import builder, in_channels, reason_of
from runners.rehearsal import IMAGES, rehearse


def answers(
    specifications: Sequence[str],
    *,
    each: bool,
    counted: Callable[[Sequence[Variant]], Iterable[Variant]],
    **asked: Any,
) -> list[dict[str, Any]]:
    """The memory of a step of each variant; of several, one that fails says so and takes no other with it.

    Args:
        specifications: The variants.
        each: Also the first one with each other level of each of its factors.
        counted: Goes through variants, and tells how far it is.
        asked: As of `answer`.

    Raises:
        BadInput: A variant does not exist, or the first one cannot be answered for.
    """
    try:
        variants = [ablations.variant(one) for one in specifications]
    except ValueError as error:
        raise BadInput(str(error)) from error
    if each:
        variants += _neighbours(variants[0])
    if len(variants) == 1:
        return [answer(specifications[0], **asked)]
    found: list[dict[str, Any]] = []
    for variant in counted(list(dict.fromkeys(variants))):
        try:
            found.append(answer(variant.specification, **asked))
        except BadInput as error:
            found.append({"variant": variant.specification, "failed": "; ".join(error.lines)})
        except Exception as error:  # noqa: BLE001 - a network may fail in any way
            found.append({"variant": variant.specification, "failed": reason_of(error)})
        if "failed" in found[0]:  # which the others were to be set against
            raise BadInput(found[0]["failed"])
    return found


def _neighbours(variant: Variant) -> list[Variant]:
    """A variant with one level changed, for each level that its factors list; those that can be built.

    Channels and classes are what they are: a data set has them, nobody chooses them.
    """
    architecture, levels = ablations.get(variant.architecture), dict(variant.levels)
    found = []
    for factor in architecture.factors:
        for level in factor.levels if factor.name not in ("in_channels", "num_classes") else ():
            with suppress(ValueError):
                found.append(architecture.variant({**levels, factor.name: level}))
    return [one for one in found if one != variant]


def answer(
    specification: str,
    *,
    batch_size: int,
    image_size: int,
    settings: dict[str, Any],
    target: Target = "cuda",
    measure_on: str | None = None,
    against: str | None = None,
    fit: str | None = None,
    plugins: Sequence[Path] = (),
) -> dict[str, Any]:
    """The memory of one step, as JSON can hold it.

    Args:
        specification: The variant.
        batch_size: Images a step.
        image_size: Height and width in pixels.
        settings: Further fields of `StepSettings` (mode, optimizer, momentum, precision).
        target: The device that is simulated.
        measure_on: The device to run the step on for real; None to simulate.
        against: A variant to explain the difference to.
        fit: Sizes of cards to find the largest batch for, e.g. `24GiB,80GiB`.
        plugins: Files and folders that the variants come from, loaded already.

    Raises:
        BadInput: Something given is wrong, or the step cannot be simulated.
    """
    cards = _cards(fit) if fit is not None else {}
    try:
        variant = ablations.variant(specification)
        other = ablations.variant(against) if against is not None else None
        step = _step(variant, batch_size, image_size, settings)
        for one in filter(None, (variant, other)):
            _try(one, step)
        build = builder(variant)
        found: dict[str, Any] = {"variant": variant.specification, "batch_size": batch_size}
        if measure_on is None:
            profile = simulate(build, step, target=target)
        else:
            measured = measure_allocator(build, step, device=torch.device(measure_on))
            profile = measured.profile
            found |= {
                "allocator_peak_bytes": measured.allocator_peak_bytes,
                "workspace_bytes": measured.workspace_bytes,
                "workspace_by_operator": _scratch(measured),
                "layers": measure_layers(variant.complete_specification, step, measure_on, plugins),
            }
        found = profile.summary() | found
        if other is not None:
            reference = simulate(
                builder(other), _step(other, batch_size, image_size, settings), target=profile.target
            )
            found["against"] = {
                "variant": other.specification,
                "their_peak_bytes": reference.peak_bytes,
                **dump(difference_story(reference, profile)),
            }
        if cards:
            found["safety_margin"] = SAFETY_MARGIN
            found["largest_batch_size"] = {
                name: largest_batch(build, step, capacity, target=target).batch_size
                for name, capacity in cards.items()
            }
            found["fits"] = {
                name: batch is not None and batch >= batch_size
                for name, batch in found["largest_batch_size"].items()
            }
    except ValueError as error:
        said = str(error)
        raise BadInput(said if "variant" in said else f"variant {specification}: {said}") from error
    return found


def _cards(text: str) -> dict[str, int]:
    """`80GiB,24gib` as bytes by name, the smallest first.

    Raises:
        BadInput: One of them is no size.
    """
    try:
        return cards_by_size(text.split(","))
    except ValueError as error:
        raise BadInput(f"--fit {error}") from error


def _try(variant: Variant, step: StepSettings) -> None:
    """See that the network takes such images at all: what it raises is no fault of the simulation.

    Raises:
        BadInput: It does not.
    """
    images, _, image_size, _ = step.input_shape
    tried = rehearse(
        ablations.get(variant.architecture),
        dict(variant.levels),
        image_size,
        images=min(images, IMAGES),
        modes=frozenset({step.mode}),
    )
    if tried.problem is not None:
        raise BadInput(f"variant {variant}: {tried.problem.reason}")


def _scratch(measured: AllocatorMeasurement) -> dict[str, int] | None:
    """Most scratch that each operator held at once, the largest first; None where nobody attributes it."""
    if measured.peak is None:
        return None
    held = measured.peak.largest_by_operator
    return dict(sorted(held.items(), key=lambda entry: -entry[1]))


def _step(variant: Variant, batch_size: int, image_size: int, settings: dict[str, Any]) -> StepSettings:
    shape = (batch_size, in_channels(variant), image_size, image_size)
    return StepSettings(shape, **settings).of(dict(variant.levels))

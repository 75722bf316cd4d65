"""A variant's levels and what it costs: for `ablate show`."""

from typing import Any

import ablations
from ablations.factor import format_level
from runners.errors import BadInput
from runners.operator_counts import complexity
from runners.outcomes import in_channels
from runners.rehearsal import rehearse
from runners.terminal.tables import print_table, thousands


def facts(specification: str, image_size: int) -> dict[str, Any]:
    """What one image through a variant costs, as observed.

    Args:
        specification: The variant.
        image_size: Height and width in pixels.

    Raises:
        BadInput: The specification is wrong, or the network fails on an image of that size.
    """
    try:
        variant = ablations.variant(specification)
        levels = dict(variant.levels)
        tried = rehearse(
            ablations.get(variant.architecture), levels, image_size, modes=frozenset({"inference"})
        )
        if tried.problem is not None:
            raise BadInput(f"variant {variant}: {tried.problem.reason}")
        found = complexity(ablations.build(variant, device="meta"), image_size, in_channels(variant))
    except ValueError as error:
        raise BadInput(str(error)) from error
    return {
        "variant": variant.specification,
        "levels": {name: format_level(level) for name, level in variant.levels},
        "image_size": image_size,
        "parameters": found.parameters,
        "macs": found.macs,
        "macs_with_norm": found.macs_with_norm,
        "activations": found.activations,
        "output_shape": list(found.output_shape),
        **({"untouched": list(tried.untouched)} if tried.untouched else {}),
    }


def print_facts(found: dict[str, Any]) -> None:
    """Figures, then levels."""
    figures = {key: value for key, value in found.items() if key not in {"variant", "levels", "untouched"}}
    print_table(
        found["variant"],
        [{"figure": key.replace("_", " "), "value": thousands(value)} for key, value in figures.items()],
    )
    print_table("levels", [{"factor": name, "level": level} for name, level in found["levels"].items()])
    for line in found.get("untouched", ()):
        print(line)

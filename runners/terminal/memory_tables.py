"""What `ablate memory` found, as tables: figures, what makes up the peak, the explanation, the cards."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.progress import track

from ablations.variant import Variant
from results.tables.format import change
from results.tables.format import value as formatted
from runners.terminal.tables import console, print_line, print_table, text, thousands

MOST_PARTS = 12
MOST_OPERATORS = 8
MOST_SHOWN = 12
"""Of more variants, those that change nothing share a line."""
_ELSEWHERE = {"variant", "safety_margin"}
"""In titles."""


def print_memory(found: dict[str, Any]) -> None:
    """Print an answer of `runners.memory.answer`: what was asked first, then why."""
    for line in _fits(found):
        print_line(line, style="bold")
    print_table(found["variant"], _figures(found))
    for key, entry in found.get("layers", {}).items():
        shown = (
            ", ".join(f"{phase} {_size(nbytes)}" for phase, nbytes in entry.items())
            if isinstance(entry, dict)
            else _size(entry)
        )
        print_line(f"{_name(key)}: {shown}")
    for title, key in (("at the peak, by category", "by_category"), ("by module, the heaviest", "by_module")):
        parts = sorted(found[key].items(), key=lambda item: -item[1])[:MOST_PARTS]
        rows = [{"part": part or "(model)", "memory": _size(nbytes)} for part, nbytes in parts if nbytes]
        print_table(title, rows)
    if found.get("workspace_by_operator"):
        scratch = list(found["workspace_by_operator"].items())[:MOST_OPERATORS]
        print_table(
            "scratch of the libraries, by the operator that asked for it",
            [{"operator": operator, "most at once": _size(nbytes)} for operator, nbytes in scratch],
        )
    if "against" in found:
        _print_difference(found["against"])
    if found["left_out"]:
        print_line("left out: " + "; ".join(found["left_out"]), style="dim")


def counted(variants: Sequence[Variant]) -> Iterable[Variant]:
    """Variants one by one, with a bar where somebody looks on."""
    where = console(stderr=True)
    return track(variants, "simulating", console=where, transient=True, disable=not where.is_terminal)


def print_side_by_side(found: Sequence[dict[str, Any]]) -> None:
    """Print answers for several variants, the first of which the others are set against, the least first."""
    told = [one for one in found if "failed" not in one]
    first = told[0]
    where = first["device" if first["source"] == "measured" else "target"]
    title = f"a step at batch {first['batch_size']}, {first['mode']}, {first['source']} {where}"
    ordered = sorted(told[1:], key=_need)
    same = [one for one in ordered if _need(one) == _need(first)] if len(ordered) > MOST_SHOWN else []
    print_table(title, [_beside(first, one) for one in (first, *ordered) if one not in same])
    if same:
        print_line(f"As the first: {', '.join(one['variant'] for one in same)}")
    for line in _best(told):
        print_line(line, style="bold")
    if "safety_margin" in first:
        print_line(f"What fits leaves {first['safety_margin']:.0%} of the card free.")
    for one in found:
        if "failed" in one:
            print_line(f"{one['variant']}: {one['failed']}", style="red")
    if first["left_out"]:
        print_line("left out: " + "; ".join(first["left_out"]), style="dim")


def _need(one: dict[str, Any]) -> tuple[int, int]:
    """What to order by."""
    return int(one[_deciding(one)]), int(one["peak_bytes"])


def _beside(first: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    key = _deciding(first)
    return {
        "variant": one["variant"],
        "peak": _size(one["peak_bytes"]),
        **({"reserved": _size(one[key])} if key == "reserved_bytes" else {}),
        f"change of {_name(key)}": "" if one is first else _change(first, one, key),
        "saved for backward": _size(one["saved_bytes"]),
        **{
            card: f"{'fits' if fits else 'does not fit'}, {_most(one['largest_batch_size'][card])}"
            for card, fits in one.get("fits", {}).items()
        },
    }


def _deciding(one: dict[str, Any]) -> str:
    """What a card must have room for: what is reserved, where that is known."""
    return "reserved_bytes" if one.get("reserved_bytes") is not None else "peak_bytes"


def _best(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """`Least: resnet:checkpointing=true, reserved 1.03 GiB (−55 %)`, where any is less than the first."""
    least = min(found, key=_need)
    key = _deciding(least)
    if least[key] < found[0][key]:
        yield f"Least: {least['variant']}, {_name(key)} {_size(least[key])} ({_change(found[0], least, key)})"


def _change(first: dict[str, Any], one: dict[str, Any], key: str) -> str:
    return change(one[key] / first[key], "ratio", "bytes")


def _fits(found: dict[str, Any]) -> Iterator[str]:
    """`fits in 11GiB: yes, 8.78 GiB reserved at batch 2; at most 2 images, 10% of the card left free`."""
    kind = "reserved" if found.get("reserved_bytes") is not None else "peak"
    for card, fits in found.get("fits", {}).items():
        most = found["largest_batch_size"][card]
        images = _most(most)
        yield (
            f"fits in {card}: {'yes' if fits else 'no'}, {_size(found[f'{kind}_bytes'])} {kind}"
            f" at batch {found['batch_size']}; {images}, {found['safety_margin']:.0%} of the card left free"
        )


def _most(images: int | None) -> str:
    return "not even the smallest batch" if images is None else f"at most {images} image{'s' * (images != 1)}"


def _figures(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"figure": _name(key), "value": _figure(key, entry)}
        for key, entry in found.items()
        if entry is not None and not isinstance(entry, dict | list | tuple) and key not in _ELSEWHERE
    ]


def _figure(key: str, entry: object) -> str:
    if isinstance(entry, int | float) and key.endswith(("_bytes", "_seconds")):
        return formatted(float(entry), key.rpartition("_")[2])
    return thousands(entry)


def _print_difference(other: dict[str, Any]) -> None:
    print_table(
        f"against {other['variant']}",
        [
            {
                "category": tensor["category"],
                "module": tensor["module"],
                "shape": text(tensor["shape"]),
                "here": tensor["after"],
                "there": tensor["before"],
                "difference": _size(tensor["nbytes"]),
            }
            for tensor in other["tensors"]
        ],
    )
    print_line(other["reason"])


def _name(key: str) -> str:
    return key.replace("_bytes", "").replace("_", " ")


def _size(nbytes: object) -> str:
    return formatted(float(nbytes), "bytes") if isinstance(nbytes, int) else text(nbytes)

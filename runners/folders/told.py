"""What is said of a folder of images, in lines."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from results.records.values import clean
from results.tables.format import count
from runners.datasets import IGNORED
from runners.folders.survey import Survey

_SHOWN_CLASSES = 8
_SHOWN_FILES = 5


def summary(found: Survey) -> str:
    """How many images of what size, by class and part."""
    places = sorted((*found.development, *found.test))
    sizes = sorted((found.pictures[place].size for place in places), key=lambda size: size[0] * size[1])
    smallest, largest = (f"{width}x{height}" for width, height in (sizes[0], sizes[-1]))
    size = smallest if smallest == largest else f"{smallest} to {largest}"
    return (
        f"{count(len(places), 'image')} of {size} pixels, {'grey' if found.channels == 1 else 'in colour'};"
        f" {_labels(found, places) if found.tree.masks else _classes(found, places)};"
        f" {len(found.test):,} for testing, {'as given' if found.tree.split else _drawn(found)}"
    )


def warnings(found: Survey) -> tuple[str, ...]:
    """What was left out, or is odd."""
    return tuple(map(clean, (*_unreadable(found), *_lonely(found), *_ignored(found), *_twice(found))))


def _classes(found: Survey, places: Sequence[int]) -> str:
    counts = Counter(found.tree.files[place][1] for place in places)
    if len(found.classes) <= _SHOWN_CLASSES:
        each = ", ".join(clean(f"{name} {counts[label]:,}") for label, name in enumerate(found.classes))
        return f"{len(found.classes)} classes ({each})"
    return f"{len(found.classes)} classes of {min(counts.values()):,} to {max(counts.values()):,}"


def _drawn(found: Survey) -> str:
    return "drawn by their content" if found.tree.masks else "drawn class by class"


def _labels(found: Survey, places: Sequence[int]) -> str:
    """`masks of 3 classes (0 81 %, 1 12 %, 2 7 % of the pixels)`."""
    counts = Counter[int]()
    for place in places:
        counts.update(dict(found.pictures[place].counts))
    if found.binary:
        counts[1] = counts.pop(IGNORED, 0)
    ignored = counts.pop(IGNORED, 0)
    total = sum(counts.values())
    shares = {label: counts[label] / total for label in range(found.labels + 1)} if total else {}
    each = ", ".join(f"{label} {100 * share:.0f} %" for label, share in shares.items())
    said = f" ({each} of the pixels)" if len(shares) <= _SHOWN_CLASSES else ""
    unlabelled = f", {100 * ignored / (ignored + total):.1f} % without a label" if ignored else ""
    return f"masks of {found.labels + 1} classes{said}{unlabelled}"


def _unreadable(found: Survey) -> Iterator[str]:
    wrong = [
        f"{file} is left out: {picture.wrong}"
        for (file, _), picture in zip(found.tree.files, found.pictures, strict=True)
        if picture.wrong is not None
    ]
    yield from wrong[:_SHOWN_FILES]
    if len(wrong) > _SHOWN_FILES:
        yield f"and {len(wrong) - _SHOWN_FILES:,} more are left out"


def _lonely(found: Survey) -> Iterator[str]:
    if found.tree.lonely:
        lonely = count(len(found.tree.lonely), "image")
        yield f"{lonely} left out for want of a mask, e.g. {found.tree.lonely[0]}"
    values = {value for picture in found.pictures for value, _ in picture.counts} - {IGNORED}
    gaps = sorted(set(range(found.labels + 1)) - values) if found.tree.masks and not found.binary else []
    if gaps:
        yield (
            f"{len(gaps)} of the labels below {found.labels} never occur, e.g. {gaps[0]}: networks have an"
            f" output for each of {found.labels + 1}"
        )
    if found.binary:
        yield "masks hold 0 and 255 alone: 255 is class 1, not a pixel that does not count"


def _ignored(found: Survey) -> Iterator[str]:
    for name in found.tree.ignored:
        yield f"{name}/ is left out: train and test are used, and validation images are drawn from train"


def _twice(found: Survey) -> Iterator[str]:
    """The same file on both sides, or with two labels: either makes accuracies doubtful."""
    parts, labels = defaultdict[str, set[bool]](set), defaultdict[str, set[int]](set)
    files = defaultdict[str, list[str]](list)
    tested = set(found.test)
    for place in sorted((*found.development, *found.test)):
        checksum = found.pictures[place].checksum
        file, label = found.tree.files[place]
        parts[checksum].add(place in tested)
        labels[checksum].add(label)
        files[checksum].append(file)
    for where, told in ((labels, "with several labels"), (parts, "for training and for testing")):
        several = [checksum for checksum, sides in where.items() if len(sides) > 1]
        if several:
            example = " and ".join(files[several[0]][:2])
            yield f"{count(len(several), 'image')} there {told}, e.g. {example}"

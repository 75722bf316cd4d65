"""A file of tensors that come back as they were, strides included: another layout may mean another kernel.

It is one of safetensors, which holds numbers and runs no code, with a checksum over all of it.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import safetensors.torch
import torch
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from safetensors import SafetensorError
from torch import Tensor

from results.records.files import RecordError, explain, read_bytes, replacing
from results.records.values import STRICT, Free, Text

_HEAD, _DIGEST = "head", "sha256"


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a tensor lies in memory; strides in elements."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    size: tuple[Annotated[int, Field(ge=0)], ...]
    stride: tuple[Annotated[int, Field(ge=0)], ...]


@dataclass(frozen=True, slots=True)
class _Head:
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    facts: dict[Text, Free]
    layouts: dict[str, _Layout]


_HEADS = TypeAdapter(_Head)


def write(path: Path, facts: dict[str, Free], tensors: Mapping[str, Tensor]) -> None:
    """Write tensors so that a reader sees the whole file or none.

    Args:
        path: Where to; its folder is made.
        facts: What JSON can hold.
        tensors: By name, on any device.

    Raises:
        StorageError: There is no room.
    """
    layouts = {name: _Layout(tuple(one.shape), one.stride()) for name, one in tensors.items()}
    flat = {f"={name}": _flattened(one) for name, one in tensors.items()}
    flat[_HEAD] = _from_bytes(_HEADS.dump_json(_Head(facts, layouts)))
    flat[_DIGEST] = _from_bytes(_digest(flat))
    with replacing(path) as temporary:
        try:
            safetensors.torch.save_file(flat, temporary)
        except SafetensorError as error:
            raise _of_the_system(error) from error


def read(path: Path) -> tuple[dict[str, Free], dict[str, Tensor]]:
    """Facts and tensors of a file, these on the CPU in memory of their own.

    Raises:
        RecordError: It is not such a file, or not all of it, or was changed.
    """
    try:
        flat = safetensors.torch.load(read_bytes(path))
    except (SafetensorError, KeyError) as error:
        raise RecordError(f"{path}: damaged ({error})") from error
    head, digest = (flat.get(name, torch.empty(0)).numpy().tobytes() for name in (_HEAD, _DIGEST))
    flat.pop(_DIGEST, None)
    if digest != _digest(flat):
        raise RecordError(f"{path}: damaged (its checksum is another)")
    del flat[_HEAD]
    try:
        found = _HEADS.validate_json(head)
        return found.facts, {name[1:]: _laid_out(one, found.layouts[name[1:]]) for name, one in flat.items()}
    except ValidationError as error:
        raise RecordError(f"{path}: damaged ({explain(error)})") from error
    except KeyError as error:
        raise RecordError(f"{path}: damaged (no layout of {error})") from error


def _of_the_system(error: SafetensorError) -> OSError:
    """What went wrong in writing; the library tells the system's number in its text alone."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(0, str(error)) if number is None else OSError(int(number[1]), os.strerror(int(number[1])))


def _flattened(tensor: Tensor) -> Tensor:
    """The memory that a tensor spans (n,), on the CPU; a view of it where it lies there."""
    return tensor.detach().as_strided((_span(tuple(tensor.shape), tensor.stride()),), (1,)).cpu()


def _laid_out(flat: Tensor, layout: _Layout) -> Tensor:
    """The inverse of `_flattened`."""
    if len(layout.size) != len(layout.stride) or _span(layout.size, layout.stride) != len(flat):
        raise RecordError(f"damaged ({len(flat)} elements do not lie as {layout.size} by {layout.stride})")
    return flat.clone().as_strided(layout.size, layout.stride)


def _span(size: tuple[int, ...], stride: tuple[int, ...]) -> int:
    """Elements from the first to the last one, whether dense or not."""
    if 0 in size:
        return 0
    return 1 + sum((count - 1) * step for count, step in zip(size, stride, strict=True))


def _from_bytes(content: bytes) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def _digest(flat: Mapping[str, Tensor]) -> bytes:
    """A hash of names and contents."""
    digest = hashlib.sha256()
    for name, tensor in sorted(flat.items()):
        digest.update(f"{name} {tensor.dtype} {len(tensor)}\n".encode())
        digest.update(tensor.view(torch.uint8).numpy().data)
    return digest.digest()

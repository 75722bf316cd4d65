"""Tensors come back bit for bit, strides included, or not at all."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from results.records.files import RecordError, StorageError
from runners import tensor_file

DTYPES = (
    *(torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.int32),
    *(torch.uint8, torch.bool),
)
each_file = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Of any kind, dimensions in any order, perhaps a part of a larger one."""
    size, dtype = draw(st.lists(st.integers(0, 4), max_size=4)), draw(st.sampled_from(DTYPES))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    most = 2 if dtype == torch.bool else 256  # any bits: numbers, infinities, not a number
    raw = torch.randint(most, (*size, dtype.itemsize), dtype=torch.uint8, generator=generator)
    made = raw.view(dtype).squeeze(-1)
    made = made.permute(draw(st.permutations(range(made.dim()))))
    for dimension in range(made.dim()):
        if made.shape[dimension] and draw(st.booleans()):
            made = made.narrow(dimension, 0, draw(st.integers(1, made.shape[dimension])))
    return made


def bits(tensor: Tensor) -> list[int]:
    # Of a single element `contiguous` keeps whatever stride it has.
    dense = tensor.clone(memory_format=torch.contiguous_format)
    flat: list[int] = dense.reshape(-1).view(torch.uint8).tolist()
    return flat


@each_file
@given(written=st.dictionaries(st.sampled_from(["a", "head", "sha256", "a.b c"]), tensors()))
def test_what_is_written_is_read(tmp_path: Path, written: dict[str, Tensor]) -> None:
    path = tmp_path / "folder" / "file"
    tensor_file.write(path, {"step": 7, "whose": None}, written)
    facts, found = tensor_file.read(path)
    assert facts == {"step": 7, "whose": None}
    assert found.keys() == written.keys()
    for name, tensor in written.items():
        other = found[name]
        assert (other.shape, other.dtype, other.stride()) == (tensor.shape, tensor.dtype, tensor.stride())
        assert bits(other) == bits(tensor)
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_channels_last_comes_back_where_shapes_alone_do_not_tell(tmp_path: Path) -> None:
    one = torch.rand(4, 3, 1, 1).to(memory_format=torch.channels_last)
    tensor_file.write(tmp_path / "file", {}, {"one": one})
    assert tensor_file.read(tmp_path / "file")[1]["one"].stride() == one.stride()


def test_memory_is_aligned_as_a_new_tensors_is(tmp_path: Path) -> None:
    """Kernels may treat the first elements of memory that begins elsewhere apart."""
    tensor_file.write(tmp_path / "file", {}, {str(size): torch.rand(size) for size in range(1, 9)})
    assert all(one.data_ptr() % 64 == 0 for one in tensor_file.read(tmp_path / "file")[1].values())


@each_file
@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_damage_is_found_wherever_it_is(tmp_path: Path, share: float, flip: int) -> None:
    path = tmp_path / "file"
    tensor_file.write(path, {"a": 1}, {"b": torch.arange(40.0), "c": torch.tensor(3)})
    content = path.read_bytes()
    at = int(share * len(content))
    path.write_bytes(content[:at] + (bytes([content[at] ^ flip]) + content[at + 1 :] if flip else b""))
    with pytest.raises(RecordError, match="damaged"):
        tensor_file.read(path)


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\x80\x04.", bytes(1000)])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(RecordError, match="damaged"):
        tensor_file.read(tmp_path / "file")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        tensor_file.read(tmp_path / "file")


def test_where_nothing_can_be_written_what_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tensor_file.write(path, {}, {"a": torch.ones(2)})
    content = path.read_bytes()
    with pytest.raises(KeyError):  # a kind of number that the format does not know
        tensor_file.write(path, {}, {"a": torch.ones(2, dtype=torch.complex128)})
    assert path.read_bytes() == content
    with pytest.raises(StorageError):
        tensor_file.write(path / "below", {}, {"a": torch.ones(2)})
    assert [one.name for one in tmp_path.iterdir()] == ["file"]

"""Raw images move to an accelerator once, and only where they take little of its memory."""

import gc

import pytest
import torch

from runners import residence
from runners.images import standardized
from runners.residence import resident

META = torch.device("meta")
"""A device that holds nothing, where this machine has no other."""


def test_on_the_same_device_nothing_moves() -> None:
    pixels = torch.zeros(10, dtype=torch.uint8)
    assert resident(pixels, torch.device("cpu")) is pixels


def test_it_is_decided_once_for_as_long_as_the_images_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = torch.zeros(99, dtype=torch.uint8), torch.zeros(101, dtype=torch.uint8)
    before = len(residence._moved)
    monkeypatch.setattr(residence, "_free_bytes", lambda device: 400)
    moved = resident(small, META)
    assert moved.device == META
    assert resident(large, META) is large
    monkeypatch.setattr(residence, "_free_bytes", lambda device: 0)
    assert resident(small, META) is moved
    monkeypatch.setattr(residence, "_free_bytes", lambda device: 10**6)
    assert resident(large, META) is large
    del small, large, moved
    gc.collect()
    assert len(residence._moved) == before


@pytest.mark.gpu
@pytest.mark.parametrize("room", [True, False])
def test_a_batch_is_the_same_on_an_accelerator(monkeypatch: pytest.MonkeyPatch, room: bool) -> None:
    accelerator = torch.accelerator.current_accelerator()
    assert accelerator is not None
    assert residence._free_bytes(accelerator) > 10**6
    if not room:
        monkeypatch.setattr(residence, "_free_bytes", lambda device: 0)
    pixels = torch.randint(0, 256, (50, 3, 24, 24), dtype=torch.uint8)
    labels = torch.arange(50) % 10
    images, _ = standardized((pixels, labels), (pixels, labels), 32)
    taken = images.take(torch.arange(0, 50, 3))
    for positions in (torch.tensor([4, 0, 9]), slice(2, 7)):
        here, there = taken.batch(positions), taken.batch(positions, accelerator)
        assert all(part.device.type == accelerator.type for part in there)
        torch.testing.assert_close(there[0].cpu(), here[0], atol=1e-5, rtol=0)
        assert torch.equal(there[1].cpu(), here[1])
    assert (resident(pixels, accelerator) is pixels) is not room

"""Devices under `CUDA_VISIBLE_DEVICES`, as CUDA numbers them and as the driver knows them."""

import pytest

from runners.memory.visible import device_handle, physical_index

WHOLE = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
PART = "MIG-1b8a6b7e-0e2b-5a10-9c4c-1a6e7ad1e0d1"


@pytest.mark.parametrize(
    ("index", "visible", "device"),
    [
        (0, None, 0),
        (3, None, 3),
        (0, "2", 2),
        (1, "3, 1", 1),
        (0, WHOLE, WHOLE),
        (1, f"0,{PART}", PART),
        (0, "GPU-8932f937", "GPU-8932f937"),
        (0, "1,-1,0", 1),
    ],
)
def test_a_number_means_the_entry_at_its_place(index: int, visible: str | None, device: int | str) -> None:
    assert physical_index(index, visible) == device


@pytest.mark.parametrize(
    ("index", "visible"), [(0, ""), (1, "0"), (0, "-1"), (1, "1,-1,0"), (0, "NoDevFiles")]
)
def test_a_device_that_is_not_visible_is_refused(index: int, visible: str) -> None:
    with pytest.raises(ValueError, match=f"^device {index}: CUDA_VISIBLE_DEVICES={visible!r} shows [01]$"):
        physical_index(index, visible)


class _Nvml:
    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVML's names
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return ["GPU-0000", WHOLE][handle]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return f"part {uuid}"


def test_the_driver_finds_devices_by_number_by_uuid_and_parts_of_them() -> None:
    nvml = _Nvml()
    assert device_handle(nvml, 1) == 1
    assert device_handle(nvml, WHOLE) == 1
    assert device_handle(nvml, "GPU-8932f937") == 1
    assert device_handle(nvml, PART) == f"part {PART}"

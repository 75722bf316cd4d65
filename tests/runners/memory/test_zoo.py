"""torchvision's and timm's networks: simulated, and held to an allocator that knows nothing of it."""

import pytest

from runners.memory.settings import Mode, StepSettings
from tests.runners.memory.cases import variant
from tests.runners.memory.test_against_allocator import agrees

SIDE = 64
IMAGES = (2, 3, SIDE, SIDE)
NETWORKS = (
    "torchvision.mobilenet_v3_small",
    "torchvision.shufflenet_v2_x0_5",
    "torchvision.squeezenet1_1",
    "torchvision.mnasnet0_5",
    "timm.resnet18:relu=out_of_place,norm=group",
    "timm.convnext_atto",
    "timm.mobilenetv3_small_050:activation=silu",
)
LARGER = (
    "torchvision.resnext50_32x4d",
    "torchvision.wide_resnet50_2",
    "torchvision.densenet121",
    "torchvision.efficientnet_b0",
    "torchvision.regnet_y_400mf",
    "torchvision.googlenet",
    "torchvision.vgg11_bn",
    "torchvision.vgg11",
    "timm.resnet18d:pool=average",
    "timm.efficientnet_lite0",
)


@pytest.mark.parametrize("mode", ["train", "inference"])
@pytest.mark.parametrize(
    "name", [*NETWORKS, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGER)]
)
def test_a_librarys_network_takes_the_tensors_that_its_simulation_says(name: str, mode: Mode) -> None:
    joined = "," if ":" in name else ":"
    assert agrees(variant(f"{name}{joined}num_classes=10"), StepSettings(IMAGES, mode=mode))


RUN_OTHERWISE = {
    # Where a second pass stops within a BatchNorm, the allocator's events show its output as scratch.
    "checkpointed": ("timm.convnext_atto", StepSettings(IMAGES, checkpointing=True)),
    "checkpointed, mixed": (
        "timm.resnet18",
        StepSettings(IMAGES, checkpointing=True, precision="bf16-autocast", memory_format="channels_last"),
    ),
    "folded": ("torchvision.mobilenet_v3_small", StepSettings(IMAGES, mode="inference", fold_batchnorm=True)),
    "folded, mixed": (
        "timm.resnet18",
        StepSettings(IMAGES, mode="inference", fold_batchnorm=True, precision="bf16-autocast"),
    ),
    "bf16": ("timm.convnext_atto", StepSettings(IMAGES, precision="bf16")),
}


@pytest.mark.parametrize("how", RUN_OTHERWISE)
def test_so_it_does_however_it_is_run(how: str) -> None:
    name, step = RUN_OTHERWISE[how]
    assert agrees(variant(f"{name}:num_classes=10"), step)

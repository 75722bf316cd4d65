"""torchvision's and timm's networks: simulated, and held to an allocator that knows nothing of it."""

import pytest

from runners.memory.settings import Mode, StepSettings
from tests.runners.memory.cases import variant
from tests.runners.memory.test_against_allocator import agrees

SIDE = 64
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
    assert agrees(variant(f"{name}{joined}num_classes=10"), StepSettings((2, 3, SIDE, SIDE), mode=mode))

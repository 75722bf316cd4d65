"""T. He et al. 2018 and semseg's own table: what a deep stem buys on ImageNet."""

from functools import partial

from ablations.claims import Claim, Original, Source

_on_imagenet = partial(Original, network="resnet50", data="ImageNet", image_size=224)
_better = partial(
    Claim, kind="convergence", metric="test_accuracy", predicted="higher", instead_of="shallow", smallest=0.0
)

SOURCE = Source(
    "bag-of-tricks",
    "T. He et al., Bag of Tricks for Image Classification (2018), and the table of hszhao/semseg",
    claims=(
        _better(
            name="bag-deep32-accuracy",
            statement="Three 3x3 convolutions instead of the 7x7 stem gain accuracy",
            change=("stem", "deep32"),
            original=_on_imagenet("76.21 to 76.87 % top-1 (with another downsampling beside it)"),
        ),
        _better(
            name="semseg-deep64-accuracy",
            statement="A deep stem of 64-64-128 channels gains accuracy",
            change=("stem", "deep64"),
            original=_on_imagenet("76.15 to 76.63 % top-1"),
        ),
    ),
    not_here={
        "ResNet-D's average-pooling shortcut gains accuracy": "no factor changes the shortcut so",
    },
)

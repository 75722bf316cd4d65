"""D. Mishkin et al. 2017: one change at a time of a CaffeNet at 128 pixels."""

from functools import partial

from ablations.claims import Claim, Original, Source

_theirs = partial(Original, network="CaffeNet", data="ImageNet", image_size=128)
_accuracy = partial(Claim, kind="convergence", metric="test_accuracy")

SOURCE = Source(
    "mishkin",
    "D. Mishkin, N. Sergievskiy and J. Matas, Systematic evaluation of CNN advances on the ImageNet (2017)",
    claims=(
        _accuracy(
            name="mishkin-kernel2",
            statement="Max pooling of 2x2 is better than of 3x3, stride 2",
            predicted="higher",
            change=("pool_kernel", "2"),
            instead_of="3",
            original=_theirs("47.1 to 48.4 %"),
        ),
        _accuracy(
            name="mishkin-padding",
            statement="Max pooling with padding 1 is better than without",
            predicted="higher",
            change=("pool_padding", "1"),
            instead_of="0",
            original=_theirs("47.1 to 48.8 %"),
        ),
        _accuracy(
            name="mishkin-average",
            statement="Average pooling is worse than max pooling",
            predicted="lower",
            change=("pool", "average"),
            instead_of="max",
            original=_theirs("47.1 to 43.5 %"),
        ),
        _accuracy(
            name="mishkin-convolution",
            statement="A strided convolution instead of max pooling is as good",
            predicted="unchanged",
            change=("pool", "convolution"),
            instead_of="max",
            original=_theirs("47.1 to 47.2 %"),
        ),
        _accuracy(
            name="mishkin-no-norm",
            statement="Without BatchNorm accuracy is lower",
            predicted="lower",
            change=("norm", "none"),
            instead_of="batch",
            original=_theirs("47.4 (47.8 with scale and bias) to 47.1 %"),
        ),
    ),
    not_here={
        "BatchNorm behind the ReLU is better than before it": "no factor of the suite moves it",
        "More 3x3 convolutions behind conv1 are better": "the stems of the suite have none or two",
        "Max and average pooling added up are better than either": "no factor of the suite adds them",
    },
)

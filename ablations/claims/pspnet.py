"""H. Zhao et al. 2017: what the pyramid and the auxiliary loss buy on ADE20K."""

from functools import partial

from ablations.claims import Claim, Original, Source

_theirs = partial(Original, network="PSPNet on ResNet-50", data="ADE20K", image_size=473)
_mean_iou = partial(
    Claim, kind="convergence", metric="test_mean_iou", predicted="higher", architecture="pspnet"
)

SOURCE = Source(
    "pspnet-paper",
    "H. Zhao et al., Pyramid Scene Parsing Network (2017)",
    claims=(
        _mean_iou(
            name="pspnet-pyramid",
            statement="Pyramid pooling labels pixels better",
            change=("pyramid", "1-2-3-6"),
            instead_of="none",
            original=_theirs("37.23 to 41.68 % mean IoU"),
        ),
        _mean_iou(
            name="pspnet-auxiliary",
            statement="An auxiliary loss labels pixels better",
            change=("auxiliary_weight", "0.4"),
            instead_of="0",
            original=_theirs("35.82 to 37.23 % mean IoU"),
        ),
    ),
)

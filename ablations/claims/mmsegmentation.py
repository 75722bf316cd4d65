"""mmsegmentation's table of PSPNet on Cityscapes: what output stride 8 costs."""

from functools import partial

from ablations.claims import Claim, Original, Source

_theirs = partial(
    Original, network="PSPNet on ResNet-50", data="Cityscapes", image_size=512, device="GPU, 2 images each"
)
_stride = partial(Claim, change=("output_stride", "8"), instead_of="32")

SOURCE = Source(
    "mmsegmentation",
    "OpenMMLab, mmsegmentation: PSPNet on Cityscapes, 512x1024",
    claims=(
        _stride(
            name="stride8-memory",
            statement="Output stride 8 takes far more memory than stride 32 in training",
            kind="memory",
            metric="peak_bytes",
            predicted="higher",
            mode="train",
            smallest=0.5,
            original=_theirs("3.0 to 6.1 GB (+103 %)"),
        ),
        _stride(
            name="stride8-time",
            statement="Output stride 8 is several times slower than stride 32 in inference",
            kind="throughput",
            metric="step_seconds",
            predicted="higher",
            mode="inference",
            smallest=2.0,
            original=_theirs("15.21 to 4.07 images/s in inference (time +274 %)"),
        ),
        _stride(
            name="stride8-mean-iou",
            statement="Output stride 8 labels pixels better than stride 32",
            kind="convergence",
            metric="test_mean_iou",
            predicted="higher",
            architecture="pspnet",
            original=_theirs("73.88 to 78.55 % mean IoU"),
        ),
    ),
)

"""R. Wightman's timm: results tables and training speeds of the ResNet variants."""

from functools import partial

from ablations.claims import Claim, Original, Source

_on_3090 = partial(Original, network="resnet50", image_size=224, device="RTX 3090, mixed precision")
_observed = partial(Original, network="resnet50", image_size=224)
_slower = partial(Claim, kind="throughput", metric="step_seconds", predicted="higher", mode="train")

SOURCE = Source(
    "timm",
    "R. Wightman, PyTorch Image Models: results tables, and images a second in training",
    claims=(
        _slower(
            name="timm-deep32-time",
            statement="A deep stem of 32-32-64 channels trains slower",
            change=("stem", "deep32"),
            instead_of="shallow",
            original=_on_3090("826 to 763 images/s (step time +8 %)"),
        ),
        _slower(
            name="timm-deep64-time",
            statement="A deep stem of 64-64-128 channels trains slower",
            change=("stem", "deep64"),
            instead_of="shallow",
            original=_on_3090("826 to 669 images/s (step time +23 %)"),
        ),
        _slower(
            name="timm-group-time",
            statement="GroupNorm trains slower than BatchNorm",
            change=("norm", "group"),
            instead_of="batch",
            original=_on_3090("826 to 532 images/s (step time +55 %)"),
        ),
        Claim(
            name="timm-deep64-macs",
            statement="A deep stem of 64-64-128 channels takes a third more multiply-accumulates",
            kind="complexity",
            metric="macs_with_norm",
            predicted="higher",
            change=("stem", "deep64"),
            instead_of="shallow",
            smallest=0.3,
            original=_observed("4.11 to 5.47 GMACs (+33 %)"),
        ),
        Claim(
            name="timm-deep32-macs",
            statement="A deep stem of 32-32-64 channels takes more multiply-accumulates",
            kind="complexity",
            metric="macs_with_norm",
            predicted="higher",
            change=("stem", "deep32"),
            instead_of="shallow",
            original=_observed("4.11 to 4.35 GMACs (+6 %)"),
        ),
        Claim(
            name="timm-group-activations",
            statement="GroupNorm changes no activation of a convolution",
            kind="complexity",
            metric="activations",
            predicted="unchanged",
            change=("norm", "group"),
            instead_of="batch",
            original=_observed("11.11 and 11.11 Macts"),
        ),
        Claim(
            name="timm-stride16-macs",
            statement="Output stride 16 takes half as many multiply-accumulates again",
            kind="complexity",
            metric="macs",
            predicted="higher",
            change=("output_stride", "16"),
            instead_of="32",
            smallest=0.5,
            original=_observed("4.089 to 6.209 GMACs (+52 %)"),
        ),
        Claim(
            name="timm-stride16-parameters",
            statement="Output stride 16 adds no parameter",
            kind="complexity",
            metric="parameters",
            predicted="unchanged",
            change=("output_stride", "16"),
            instead_of="32",
            original=_observed("25,557,032 and 25,557,032"),
        ),
    ),
)

"""What a network is made of, whatever it runs on."""

from results.records.metric import Metric


def _count(name: str, label: str, description: str) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="count",
        better="lower",
        effect_kind="ratio",
        margin=0.01,
        exact=True,
        description=description,
    )


METRICS = (
    _count("parameters", "parameters", "Elements of all parameters."),
    _count("macs", "MACs", "Multiply-accumulates of convolutions and linear layers for one image."),
    _count(
        "macs_with_norm",
        "MACs with normalisation",
        "MACs, with 2 operations per element of a BatchNorm and 5 of a GroupNorm (fvcore, timm).",
    ),
    _count(
        "activations",
        "activations",
        "Elements put out by convolutions and linear layers for one image (timm's Macts).",
    ),
)

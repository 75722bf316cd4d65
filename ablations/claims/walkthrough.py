"""The walk-through of PSPNet's backbone that the suite began with, sentence by sentence."""

from functools import partial

from ablations import operator_checks
from ablations.claims import Check, Claim, Source

_NORMALISES = "BatchNorm forces each batch's activations to mean 0 and variance 1: "


_SHIFTS = "With BatchNorm distributions stop shifting from batch to batch: "
_GRADIENTS = "BatchNorm avoids vanishing gradients: "
_relu = partial(Claim, change=("relu", "inplace"), instead_of="out_of_place")

SOURCE = Source(
    "walkthrough",
    "Walk-through of PSPNet's backbone (hszhao/semseg, model/resnet.py and model/pspnet.py)",
    claims=(
        _relu(
            name="inplace-same-results",
            statement="ReLU(inplace=True) does not change results",
            kind="convergence",
            metric="test_accuracy",
            predicted="the same bits",
        ),
        _relu(
            name="inplace-saves-memory-in-training",
            statement="ReLU(inplace=True) saves GPU memory: in training",
            kind="memory",
            metric="peak_bytes",
            predicted="lower",
            mode="train",
        ),
        _relu(
            name="inplace-saves-memory-in-inference",
            statement="ReLU(inplace=True) saves GPU memory: in inference",
            kind="memory",
            metric="peak_bytes",
            predicted="lower",
            mode="inference",
        ),
        _relu(
            name="inplace-saves-allocations",
            statement="ReLU(inplace=True) saves repeated allocation and release of memory",
            kind="memory",
            metric="allocations",
            predicted="lower",
            mode="train",
        ),
        _relu(
            name="inplace-saves-time",
            statement="ReLU(inplace=True), with fewer allocations, saves time",
            kind="throughput",
            metric="step_seconds",
            predicted="lower",
            mode="train",
        ),
    ),
    checks=(
        Check(
            "batchnorm-normalises-a-batch",
            _NORMALISES + "a fresh layer in training",
            "each channel has mean 0 and variance 1",
            operator_checks.normalised_in_training,
        ),
        Check(
            "batchnorm-normalises-once-trained",
            _NORMALISES + "with a scale and an offset that were learnt",
            "each channel has mean 0 and variance 1",
            operator_checks.normalised_once_trained,
        ),
        Check(
            "batchnorm-normalises-in-evaluation",
            _NORMALISES + "in evaluation",
            "a shifted batch has mean 0",
            operator_checks.each_batch_in_evaluation,
        ),
        Check(
            "batchnorm-stops-shifts",
            _SHIFTS + "of what it puts out",
            "channel means move less than without",
            operator_checks.distributions_stop_shifting,
        ),
        Check(
            "batchnorm-stops-shifts-ahead",
            _SHIFTS + "of what the layers before it put out",
            "channel means move less than without",
            operator_checks.distributions_ahead_stop_shifting,
        ),
        Check(
            "batchnorm-keeps-gradients",
            _GRADIENTS + "from PyTorch's own initialisation",
            "first over last gradient above 0.01, and below without",
            operator_checks.gradients_do_not_vanish,
        ),
        Check(
            "batchnorm-keeps-gradients-from-kaiming",
            _GRADIENTS + "from Kaiming's initialisation, as the network has it",
            "first over last gradient above 0.01, and below without",
            operator_checks.gradients_do_not_vanish_from_kaiming,
        ),
        Check(
            "inplace-same-gradients",
            "ReLU(inplace=True) does not change results: gradients",
            "equal in every bit",
            operator_checks.same_gradients,
        ),
        Check(
            "inplace-overwrites",
            "ReLU(inplace=True) overwrites its input",
            "the input reads as the output",
            operator_checks.overwrites_its_input,
        ),
        Check(
            "pool-stride-default",
            "Max pooling's stride defaults to the kernel size",
            "60 pixels become 60 over the kernel",
            operator_checks.stride_of_the_kernel,
        ),
        Check(
            "pool-stride-pair",
            "A stride pair moves the window by its entries along the two axes",
            "every third row, every second column",
            operator_checks.stride_pairs,
        ),
        Check(
            "pool-padding-zeros",
            "Padding is filled with zeros: of max pooling",
            "0 at the border of a negative image",
            operator_checks.padded_with_zeros,
        ),
        Check(
            "average-padding-zeros",
            "Padding is filled with zeros: of average pooling",
            "a corner counts five zeros",
            operator_checks.averages_zeros,
        ),
        Check(
            "pool-padding-pair",
            "A padding pair pads rows and columns separately",
            "7x7 becomes 7x5",
            operator_checks.padding_pairs,
        ),
        Check(
            "pool-dilation-default",
            "Dilation defaults to 1, meaning none",
            "as dilation 1, windows of neighbours",
            operator_checks.no_dilation,
        ),
        Check(
            "stem-pool-stages",
            "The pool 3/2/1 after the stem, then four stages, chained, is the network",
            "torchvision's ResNet-50, bit for bit",
            operator_checks.is_the_network,
        ),
    ),
)

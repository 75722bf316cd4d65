"""What is done to training images at each step, on the batch; every draw comes from one generator.

Each image has a draw of its own. A translation is by whole pixels, which moves no value off the grid; what
enters at the border is what the border shows.
"""

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

SHIFT = 1 / 8
"""Of an image's side: 4 of 32 pixels, as in K. He et al. (2016), section 4.2."""
CROP_AREA = (0.08, 1.0)
CROP_RATIO = (3 / 4, 4 / 3)
"""Area and aspect ratio of a crop, as in C. Szegedy et al., "Going deeper with convolutions" (2015)."""


def augment(images: Tensor, labels: Tensor, kind: str, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images and labels, changed by those words that `kind` has between its `+`.

    Args:
        images: (N, C, H, W).
        labels: (N,), which stay, or of pixels (N, H, W), which go where their pixels go; int64.
        kind: As the recipe has it.
        generator: What is drawn comes from it.
    """
    if labels.dim() == 1:
        return _augmented(images, kind, generator), labels
    # Whole numbers below 2**24 are themselves in float32.
    both = _augmented(torch.cat([images, labels[:, None].to(images.dtype)], 1), kind, generator, masks=1)
    return both[:, :-1], both[:, -1].long()


def _augmented(images: Tensor, kind: str, generator: torch.Generator, *, masks: int = 0) -> Tensor:
    """Of the channels the last so many are masks, whose values are not mixed."""
    for word in kind.split("+"):
        match word:
            case "none":
                pass
            case "shift":
                images = shifted(images, generator)
            case "flip":
                images = flipped(images, generator)
            case "crop":
                images = cropped(images, generator, masks=masks)
            case unknown:
                raise AssertionError(unknown)
    return images


def shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image moved by up to an eighth of its side, in whole pixels, either way."""
    count, channels, height, width = images.shape
    most = (round(SHIFT * height), round(SHIFT * width))
    padded = functional.pad(images, (most[1], most[1], most[0], most[0]), mode="replicate")
    down, right = (
        torch.randint(2 * far + 1, (count, 1), generator=generator).to(images.device) for far in most
    )
    rows = down + torch.arange(height, device=images.device)
    columns = right + torch.arange(width, device=images.device)
    image = torch.arange(count, device=images.device)
    return padded[
        image[:, None, None, None],
        torch.arange(channels, device=images.device)[:, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]


def flipped(images: Tensor, generator: torch.Generator) -> Tensor:
    """Half of the images, drawn one by one, mirrored left to right."""
    which = (torch.rand(len(images), generator=generator) < 0.5).to(images.device)
    return torch.where(which[:, None, None, None], images.flip(3), images)


def cropped(images: Tensor, generator: torch.Generator, *, masks: int = 0) -> Tensor:
    """A part of each image, enlarged (bilinear) to the whole: area and aspect ratio as drawn, fitted in.

    The last so many channels are masks: there a pixel is the nearest one's.
    """
    count = len(images)
    area = torch.empty(count).uniform_(*CROP_AREA, generator=generator)
    logs = [math.log(ratio) for ratio in CROP_RATIO]
    ratio = torch.empty(count).uniform_(*logs, generator=generator).exp()
    width, height = ((area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1))
    x, y = ((1 - side) * (2 * torch.rand(count, generator=generator) - 1) for side in (width, height))
    zero = torch.zeros(count)
    transform = torch.stack([torch.stack([width, zero, x], 1), torch.stack([zero, height, y], 1)], 1)
    grid = functional.affine_grid(transform, list(images.shape), align_corners=False)
    sampled = partial(functional.grid_sample, grid=grid.to(images.device), padding_mode="reflection")
    if not masks:
        return sampled(images, mode="bilinear", align_corners=False)
    return torch.cat(
        [
            sampled(images[:, :-masks], mode="bilinear", align_corners=False),
            sampled(images[:, -masks:], mode="nearest", align_corners=False),
        ],
        dim=1,
    )

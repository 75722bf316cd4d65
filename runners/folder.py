"""A folder of images as a trial carries it to its process, where nobody looks through it again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with one sub-folder of images per class, or with masks, after it was looked through.

    Attributes:
        name: `folder:pets@3f2a9c01b7d4`: its own name and a digest of what it holds, wherever it lies.
        path: Where it lies.
        channels: 1 where all images are grey, else 3.
        classes: Number of labels.
        development_size: Images that are split into training and validation.
        test_size: Images for testing.
        per_pixel: Whether each pixel has a label, by a mask.
        binary: Whether masks hold 0 and 255 alone.
    """

    name: str
    path: str
    channels: int
    classes: int
    development_size: int
    test_size: int
    per_pixel: bool = False
    binary: bool = False

"""Memory that a training frees stays with its process, which needs it again in the next step.

glibc gives the end of its heap back to the system, and maps large blocks apart, by thresholds that suit
programs that free for good. A training frees its activations at each step: taking them anew, page by page,
took a ninth of a small ResNet's step on a CPU. What is given out is the same memory, so no number changes.
"""

import ctypes
import os

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""mallopt(3)'s parameters."""
_SETTINGS = {_TRIM_THRESHOLD: 2**30, _TOP_PAD: 2**26, _MMAP_THRESHOLD: 2**25}
"""In bytes; blocks of up to 32 MiB, its largest threshold, come from the heap."""


def keep_freed_memory() -> bool:
    """Set glibc's thresholds for the rest of this process.

    Returns:
        Whether they are set; False where the C library is not glibc.
    """
    if not hasattr(os, "confstr") or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return False
    library = ctypes.CDLL(None)
    return all(library.mallopt(parameter, size) == 1 for parameter, size in _SETTINGS.items())

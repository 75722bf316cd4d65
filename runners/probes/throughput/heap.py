"""A heap without holes: every arm's memory comes from the same fresh stretch, whichever is built first.

A process that is forked from one which imported PyTorch inherits its heap, and in it some megabyte of freed
chunks in hundreds of places. The first network that is built, and the first that is warmed up, would fill
them: its weights and buffers end up scattered over pages that it shares with all else, those of later ones
lie in a row. On a chain of a hundred small convolutions that alone made the first arm 0.3 to 1 % slower.
"""

import ctypes
import os

SMALLEST_BYTES, LARGEST_BYTES = 16, 128 * 1024
"""Of the chunks that fill holes: glibc's smallest, and the size from which it maps memory apart."""
SHRINK = 0.75
CACHED_BYTES, CACHE_STEP = 1032, 16
"""glibc keeps freed chunks up to this size by their size, and gives them to requests of that size alone."""
FRESH_BYTES = 2 * LARGEST_BYTES
"""A chunk this near to the heap's end was cut from it, not from a hole."""
MOST_BYTES = 256 * 1024 * 1024


def fill_holes() -> int:
    """Allocate chunks of all sizes, large ones first, until each comes from the heap's end; they stay.

    Returns:
        Bytes put into holes; 0 where the C library is not glibc, whose heap this is about.
    """
    if not hasattr(os, "confstr") or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return 0
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.sbrk.restype, library.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
    filled, size = 0, LARGEST_BYTES - 64
    while size >= SMALLEST_BYTES and filled < MOST_BYTES:
        end = library.sbrk(0)
        chunk = library.malloc(size)
        if chunk is None or library.sbrk(0) != end or chunk + size + FRESH_BYTES >= end:
            size = _smaller(size)  # no hole of this size is left
        else:
            filled += size
    return filled


def _smaller(size: int) -> int:
    """The next size to ask for: small ones one by one, since what is kept by size fills no other request."""
    return size - CACHE_STEP if size <= CACHED_BYTES else max(CACHED_BYTES, int(size * SHRINK))

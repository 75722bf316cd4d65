"""Seeds of random streams; needs no PyTorch."""

import hashlib


def stream_seed(seed: int, name: str) -> int:
    """A 63-bit seed of its own for each (seed, name)."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1

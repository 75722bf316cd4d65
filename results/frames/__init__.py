"""Records as tidy frames: samples, outcomes, curves, memory profiles, the machine's state, benchmarks."""

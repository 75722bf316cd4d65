"""How it is measured: from a study to trials, from a trial to a record."""

import os

# PyTorch's profiler, which reads the CPU's allocator, otherwise tells the terminal when it starts and stops.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

"""What the forkserver imports before the first trial: importing costs seconds, a fork of it does not.

No operator may run here: PyTorch's thread pools do not survive a fork.
"""

import ablations.registry
import runners.execute  # noqa: F401 - what a trial's process starts with
from runners import datasets, probes

ablations.registry.architectures()
probes.probes()
datasets.datasets()

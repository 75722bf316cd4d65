"""What the forkserver imports before the first trial: importing costs seconds, a fork of it does not.

No operator may run here: PyTorch's thread pools do not survive a fork.
"""

import importlib
import pkgutil

import sklearn.datasets  # noqa: F401 - of the embedded data set, which imports it late

import runners.execute
import runners.images  # noqa: F401 - likewise
from ablations import registry
from runners import datasets, probes

registry.architectures()
datasets.datasets()
for module in pkgutil.walk_packages(probes.__path__, f"{probes.__name__}."):
    importlib.import_module(module.name)

"""The keys of a complexity workload."""

from runners.workload_settings import WorkloadSettings


class ComplexitySettings(WorkloadSettings):
    """Keys of a workload of kind complexity: those that all workloads have."""

"""The keys of a workload of checks."""

from runners.workload_settings import WorkloadSettings


class ChecksSettings(WorkloadSettings):
    """Keys of a workload of kind checks: those that all workloads have."""

"""How long a CPU limit held this process's control group (cgroups, versions 1 and 2)."""

from pathlib import Path


def throttled_counter(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> Path | None:
    """The file where the cgroup counts how long its CPU limit held it; None where nothing counts."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "" or "cpu" in controllers.split(","):
            for folder in (root / group.lstrip("/"), root / "cpu" / group.lstrip("/"), root):
                path = folder / "cpu.stat"
                if path.is_file() and throttled_seconds(path.read_text()) is not None:
                    return path
    return None


def throttled_seconds(stat: str) -> float | None:
    """From the text of a `cpu.stat`: microseconds in version 2 of cgroups, nanoseconds in version 1."""
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name == "throttled_usec":
            return int(value) / 1e6
        if name == "throttled_time":
            return int(value) / 1e9
    return None

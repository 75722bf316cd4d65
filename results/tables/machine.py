"""What else the machine did while it was timed."""

import pandas as pd

from results.frames.stretches import marked

MACHINE_COLUMNS = [
    *("environment", "workload", "process", "trial", "arm", "schedule", "threads", "seconds"),
    *("others_cores_median", "others_cores_max", "steal_share_median", "steal_share_max"),
    *("throttled_share_median", "throttled_share_max", "clock_mhz_median", "clock_spread"),
    *("device_throttled_share", "marked_share", "energy_joules"),
]


def machine(stretches: pd.DataFrame) -> pd.DataFrame:
    """One row per timed process: median and maximum over its stretches of what was read around each.

    `seconds` and `energy_joules` are sums over them, `clock_spread` is the highest clock over the lowest,
    less 1; `arm` is empty where a process holds several. A reading that was not taken is NaN.

    Args:
        stretches: As `Run.stretches` holds it.
    """
    rows = []
    keys = ["environment", "workload", "block", "trial"]
    for (environment, workload, process, trial), group in stretches.groupby(keys, sort=False):
        first, clock = group.iloc[0], group["clock_mhz"]
        row = {
            "environment": environment,
            "workload": workload,
            "process": process,
            "trial": trial,
            "arm": first["arm"],
            "schedule": first["schedule"],
            "threads": first["threads"],
            "seconds": group["seconds"].sum(),
            "clock_mhz_median": clock.median(),
            "clock_spread": clock.max() / clock.min() - 1,
            "device_throttled_share": group["device_throttling"].notna().mean(),
            "marked_share": marked(group).mean(),
            "energy_joules": group["energy_joules"].sum(min_count=1),
        }
        for name in ("others_cores", "steal_share", "throttled_share"):
            row |= {f"{name}_median": group[name].median(), f"{name}_max": group[name].max()}
        rows.append(row)
    return pd.DataFrame(rows, columns=MACHINE_COLUMNS)

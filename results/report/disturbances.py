"""What disturbed the timing, in sentences: what was seen, and what to do about it."""

from collections.abc import Callable

import pandas as pd

from results.frames.stretches import marked
from results.report.notes import disagreement
from results.tables import format as text

NOTABLE_SHARE = 0.1
"""Share of marked stretches that is worth a word: a median over rounds does not notice one in ten."""
UNSTEADY_SHARE = 0.25
"""Share of an arm's warm-ups that did not end steady: one now and then is chance, one in four is not."""


def warnings(stretches: pd.DataFrame, timed_arms: pd.DataFrame, isolation: pd.DataFrame) -> list[str]:
    """What may stand between the figures and the truth, one sentence each: what was seen, and what to do.

    First what may bend an effect, then what only widens its interval; what several workloads of an
    environment suffered from stands in one sentence. Environments are named where there are several.

    Args:
        stretches: As `Analysis.stretches` holds it.
        timed_arms: As `Analysis.timed_arms` holds it.
        isolation: As `Analysis.isolation` holds it.
    """
    several = timed_arms["environment"].nunique() > 1
    found = _disagreements(isolation)
    for environment, arms in timed_arms.groupby("environment", sort=False):
        on = f" on {environment}" if several else ""
        here = stretches[stretches["environment"] == environment]
        found += [_unsteady(arms, on), *(_told(here, code, on) for code in _SENTENCES)]
    return [said for said in found if said]


def _disagreements(isolation: pd.DataFrame) -> list[str]:
    return [
        f"{row['workload']}: {row['arm']}{_mode(row['mode'])}: {said}; what arms do to their neighbours in a "
        f"process may be part of the effect: cite neither before {row['spot_check']} has more processes"
        for row in isolation[isolation["verdict"] == "disagree"].to_dict("records")
        for said in (disagreement(row),)
    ]


def _mode(mode: object) -> str:
    return f", {mode}" if isinstance(mode, str) and mode else ""


def _unsteady(timed_arms: pd.DataFrame, on: str) -> str:
    """Arms whose warm-up ended before they were steady; "" where there is none."""
    warmups = timed_arms[timed_arms["steady"].notna()]
    late = warmups["steady"].eq(False)
    share = late.groupby([warmups["workload"], warmups["arm"]]).transform("mean")
    # Only where it was the rule: the same arm may have been steady in many other workloads.
    late = late[share > UNSTEADY_SHARE]
    said = [
        f"{arm} ({group.sum()} of {text.count(len(group), 'warm-up')})"
        for arm, group in late.groupby(warmups["arm"][late.index], sort=False)
    ]
    if not said:
        return ""
    return (
        f"the warm-up{on} ended before the steps were steady for {_some(said)}; the first rounds may "
        "be slow for these arms alone: raise arm_seconds, so that the median leaves them out, or let the "
        "machine settle first"
    )


def _told(stretches: pd.DataFrame, code: str, on: str) -> str:
    """`speed: 34 % of the time ...` from what bears the mark; "" where that is too little to matter."""
    share = marked(stretches, code).groupby(stretches["workload"], sort=False).mean()
    names = [str(name) for name in share.index[share >= NOTABLE_SHARE]]
    here = stretches[stretches["workload"].isin(names)]
    hit = here[marked(here, code)]
    if hit.empty:
        return ""
    percent = f"{100 * len(hit) / len(here):.0f} % of the stretches timed"
    return f"{_some(names)}{on}: {percent} {_SENTENCES[code](hit)}"


def _throttled(hit: pd.DataFrame) -> str:
    said = (
        f"were held up by the CPU limit of the container (cgroup) for {_percent(hit['throttled_share'])} of "
        "their time in the median; it strikes in bursts, some arms more than others: "
    )
    threads = hit["threads"].max()
    if pd.isna(threads):
        return f"{said}raise the limit, or set fewer threads"
    # Had the limit not held it, as many threads would have run all the time.
    granted = int(threads * (1 - hit["throttled_share"].median()))
    fewer = f", or set threads = {granted}" if 1 <= granted < threads else ""
    return f"{said}raise the limit to at least {text.count(int(threads), 'core')}{fewer}"


def _device(hit: pd.DataFrame) -> str:
    reasons = hit["device_throttling"].dropna()
    reason = f" ({reasons.mode().iloc[0]})" if len(reasons) else ""
    return (
        f"ran on an accelerator that held its clock down{reason}; heavy arms suffer more than light ones: "
        "lock its clock below where it throttles, or cool it better"
    )


def _stolen(hit: pd.DataFrame) -> str:
    return (
        f"lost {_percent(hit['steal_share'])} of the machine's time to the hypervisor in the median; pairing "
        "keeps the ratios fair, but the absolute times are too long: choose a dedicated host"
    )


def _busy(hit: pd.DataFrame) -> str:
    return (
        f"ran while other processes used {hit['others_cores'].median():.1f} cores in the median; pairing "
        "keeps the ratios fair, but the intervals are wider: close other programs, or run when the machine "
        "is idle"
    )


def _clock(hit: pd.DataFrame) -> str:
    low, high = (f"{end:,.0f}" for end in (hit["clock_mhz"].min(), hit["clock_mhz"].max()))
    return (
        f"ran at {low if low == high else f'{low} to {high}'} MHz, which their process usually does not; "
        "pairing keeps the ratios fair, but the intervals are wider: fix the clock (performance governor, no "
        "turbo; on a GPU, lock its clocks), or let the machine cool down"
    )


_SENTENCES: dict[str, Callable[[pd.DataFrame], str]] = {
    "throttled": _throttled,
    "device": _device,
    "steal": _stolen,
    "busy": _busy,
    "clock": _clock,
}


def _percent(shares: "pd.Series[float]") -> str:
    return text.value(float(shares.median()), "fraction")


def _some(names: list[str]) -> str:
    """The first three of a list, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

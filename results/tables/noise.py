"""Noise floors as people compare them: each beside its margin, by a name that tells it from the others."""

import pandas as pd

from results.records.resolved_study import ResolvedStudy
from results.tables.headline import title


def beside_margins(study: ResolvedStudy, noise: pd.DataFrame) -> pd.DataFrame:
    """With `margin`, and in `name` label and mode, and the workload where several have the metric.

    Args:
        study: For the margins.
        noise: As `Run.noise_floor` gives it, of one environment.
    """
    margins = {metric.name: metric.margin for metric in study.metrics}
    several = bool(len(noise)) and noise.groupby("metric")["workload"].nunique().max() > 1
    names = [f"{title(row)} [{row['workload']}]" if several else title(row) for _, row in noise.iterrows()]
    floors = noise["metric"].map(margins).astype(float)
    return noise.assign(margin=floors, name=pd.Series(names, index=noise.index, dtype=object))

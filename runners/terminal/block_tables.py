"""Building blocks as a terminal shows them."""

from collections.abc import Iterator, Mapping

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from results.frames.benchmarks import contexts
from results.tables.headline import cell_text


def block_tables(levels: pd.DataFrame, styles: Mapping[str, str]) -> Iterator[Table]:
    """A table per block: levels down, contexts across, in each cell the change against the baseline.

    Args:
        levels: As `Run.building_blocks` gives it, of one version of the code per environment.
        styles: How a verdict is coloured.
    """
    shown = levels.assign(context=contexts(levels))[levels["effect"].notna()]
    for (environment, block), rows in shown.groupby(["environment", "block"], sort=False):
        where = f" on {environment}" if shown["environment"].nunique() > 1 else ""
        baselines = " or ".join(map(str, rows["baseline_level"].unique()))
        table = Table(
            title=escape(f"{block}, against {baselines}{where}"),
            title_justify="left",
            title_style="bold",
            header_style="bold",
            box=box.SIMPLE_HEAD,
        )
        columns = list(rows["context"].unique())
        for column in ("level", *columns):
            table.add_column(escape(str(column)), overflow="fold")
        for level, mine in rows.groupby("level", sort=False):
            cells = {
                row["context"]: Text(
                    cell_text(row["effect"], row["effect_kind"], row["unit"], row["verdict"]),
                    styles.get(row["verdict"], ""),
                )
                for row in mine.to_dict("records")
            }
            table.add_row(escape(str(level)), *(cells.get(column, Text("—")) for column in columns))
        yield table

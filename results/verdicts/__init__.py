"""From frames to rows that conclude: cells, statistics, checks, judging, stopping. Facts are columns."""

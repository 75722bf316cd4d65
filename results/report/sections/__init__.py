"""One file per topic of the report; each holds a `TOPIC`."""

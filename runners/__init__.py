"""How it is measured: from a study to trials, from a trial to a record."""

"""Where trials run, one launcher a file; every file here is found by discovery and listed nowhere."""

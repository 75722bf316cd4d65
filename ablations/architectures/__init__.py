"""Network families, one file each; every file here is found by discovery and listed nowhere."""

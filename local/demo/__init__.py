"""Two embedded accounts, attacked and repaired before your eyes: `python -m local.demo`."""

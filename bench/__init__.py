"""Counts and ratios, measured in one run: `make bench`. Never shipped."""

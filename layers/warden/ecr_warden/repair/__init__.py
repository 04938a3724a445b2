"""Reads a target, plans, journals, writes, verifies."""

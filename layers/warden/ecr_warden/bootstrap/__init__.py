"""Builds each function's use cases over their adapters."""

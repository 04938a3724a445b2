"""Sweeps, the inventory, the wiring and heartbeats."""

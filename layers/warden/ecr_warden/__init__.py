"""Keeps the policy documents of ECR push and pull grants across accounts equal to a spec."""

__version__ = "0.2.0.dev0"
"""Of the command and of the hub, whose layer has no metadata of a package."""

"""The net of recorded cases: verdicts of the product as they were, to compare with after a rebuilding."""

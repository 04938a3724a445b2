"""What becomes of a new version of the spec: whether it waits for a person, and why."""

"""The desired-state file: text to validated spec to desired documents."""

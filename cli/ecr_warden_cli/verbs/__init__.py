"""One file per verb: its arguments, what it does, and its output."""

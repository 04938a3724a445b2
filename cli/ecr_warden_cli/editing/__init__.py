"""Changes of the spec's text, and what a change means."""

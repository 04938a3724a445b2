"""An event to the targets it concerns and its actor."""

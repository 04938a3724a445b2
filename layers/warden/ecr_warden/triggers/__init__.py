"""What an event means: the targets it names and who caused it."""

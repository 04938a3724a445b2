"""What an event means: the targets it names and who was behind it."""

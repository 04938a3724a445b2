"""What happened, as messages, to channels."""

"""What the hub says, and how it is asked."""

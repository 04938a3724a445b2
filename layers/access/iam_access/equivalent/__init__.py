"""Whether AWS treats two documents alike."""

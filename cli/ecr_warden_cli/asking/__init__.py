"""Questions about who has access, and where the answers come from."""

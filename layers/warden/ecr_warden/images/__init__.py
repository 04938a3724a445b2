"""Images that were pushed: by whom, with which right, and what became of them."""

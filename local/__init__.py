"""An embedded AWS, the demo, and what tests share. Never shipped in layer or wheel."""

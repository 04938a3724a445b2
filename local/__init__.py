"""An embedded AWS, the demo, and what tests share. Never shipped in the layer or the wheel."""

"""What the functions and the command line do, over ports."""

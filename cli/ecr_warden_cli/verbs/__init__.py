"""One verb a file: its arguments, what it does, and how it says so."""

"""Who can do what, directly or through roles."""

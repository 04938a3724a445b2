"""Who can pull and push what, on one page."""

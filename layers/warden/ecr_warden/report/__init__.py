"""The report: an estate, a spec, the last proof and the journal as one value that people read as a page."""

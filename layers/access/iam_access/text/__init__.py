"""Texts from outside: printed, compared without case, suggested, read as strict JSON."""

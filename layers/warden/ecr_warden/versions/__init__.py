"""Versions of the spec: judged, held, accepted, rolled out."""

"""The process that emulates AWS: ministack with authorization and bridges over its gaps, in its own environment."""

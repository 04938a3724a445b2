"""In-memory ports, on which the use cases are tested; they satisfy the same contracts as the AWS adapters."""

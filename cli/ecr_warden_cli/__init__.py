"""The command `ecr-warden`: it reads accounts, and leaves the documents of the spec to the hub."""

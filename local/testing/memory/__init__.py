"""The ports in memory: what the use cases are tried on, held to the same contract as the AWS adapters."""

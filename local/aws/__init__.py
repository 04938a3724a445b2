"""The embedded AWS: many accounts on loopback, with what AWS does to documents, faults and deployments."""

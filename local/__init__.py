"""An embedded multi-account AWS on loopback: launcher, behaviour rules, faults. Never shipped in layer or wheel."""

"""What tests, the bench and the smoke test share: in-memory ports, waiting, built functions, an installed product."""

"""What tests, the bench and the smoke test share: ports in memory, waiting, built functions, an installed product."""

"""Random input for the policy engine, of every shape: a little in each test run, more by `make fuzz`."""

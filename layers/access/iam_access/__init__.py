"""IAM's policy language: parse, compare, evaluate, lint; and who can do what in an inventory of accounts."""

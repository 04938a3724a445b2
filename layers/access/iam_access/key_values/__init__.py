"""The values that a condition key can have, told apart as far as the clauses of policies tell them apart."""

"""The nouns of the product: targets, addresses, states, drift, plans, outcomes, jobs."""

"""What was read of accounts: users, roles, groups, policies, organizations."""

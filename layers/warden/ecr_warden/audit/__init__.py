"""Who has access, against the spec: findings and the report."""

"""What one document allows and another does not, statement by statement, and in sentences."""

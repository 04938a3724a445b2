"""Policy documents, their elements and their patterns."""

"""Who can pull and push: the registries' part of the question."""

"""What AWS does to documents, as pure rules: (document, world) -> stored text or AWS's error."""

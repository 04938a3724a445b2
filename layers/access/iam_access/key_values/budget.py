"""What was too much, when counted work ended before an answer (document.steps)."""

WILDCARDS = "the wildcards overlap in too many ways"
STATEMENTS = "the statements overlap in too many ways"

"""How much work each part of one comparison may take, in steps of about a microsecond, and what took too many."""

PREPARING = 150_000
"""Units for turning two documents into cubes, callers and queries, for all values of their variables together."""

TRYING = 60_000
"""Units for one direction under given values of the variables, which soon show a difference if they show one."""

PROVING = 270_000
"""Units for one direction under all values of the variables."""

WILDCARDS = "the wildcards overlap in too many ways"
STATEMENTS = "the statements overlap in too many ways"
CALLERS = "the statements and principals combine in too many ways"
REQUESTS = "too many requests would have to be tried"
SIZE = "the documents are too large"

"""Structured logs, the same for every function.

What is logged is bounded and chosen: targets, causes, results. Never an event, a document or a credential.
"""

from functools import cache

from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """The function's logger; service and level come from POWERTOOLS_SERVICE_NAME and LOG_LEVEL."""
    return Logger(log_uncaught_exceptions=False)

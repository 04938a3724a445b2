"""Structured logs and metrics, the same for every function.

What is logged is bounded and chosen: targets, causes, results. Never an event, a document or a credential.
"""

from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from ecr_warden.core.metrics import UNITS, Values


@cache
def logger() -> Logger:
    """The function's logger; service and level come from POWERTOOLS_SERVICE_NAME and LOG_LEVEL."""
    return Logger(log_uncaught_exceptions=False)


def emit(values: Values) -> None:
    """Write metrics as one line of the log, from which CloudWatch makes them: no function needs a permission for it.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    if values:
        line = EphemeralMetrics(namespace="ecr-warden", service="ecr-warden")
        for metric, value in values.items():
            line.add_metric(metric, UNITS[metric], value)
        line.flush_metrics()

"""The machine's clock, run IDs, and metrics in the log."""

import json
import secrets
import sys
from datetime import UTC, datetime
from typing import TextIO


class SystemClock:
    """The time in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def count_sweep(log: TextIO = sys.stdout) -> None:
    """Count a finished sweep in CloudWatch's embedded metric format: a line of the log becomes a metric.

    So no function needs a permission for it, and whoever may write no log is noticed too. Source:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    directive = {
        "Namespace": "ecr-warden",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "SweepsFinished", "Unit": "Count"}],
    }
    now = int(datetime.now(UTC).timestamp() * 1000)
    line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "service": "ecr-warden"}
    print(json.dumps({**line, "SweepsFinished": 1}), file=log, flush=True)


def new_run_id() -> str:
    """A run ID: letters and digits, sortable by time, fits a session name: `20261124T145000Z1f2e3d4c5b6a`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}{secrets.token_hex(6)}"

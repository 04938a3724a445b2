"""Words shared by the tests of the emulator."""

import json
from collections.abc import Callable
from typing import Any

REGION = "eu-central-1"
REPOSITORY = "shop/checkout"
type NewAccount = Callable[[], str]


def policy(*statements: dict[str, Any]) -> str:
    """A policy text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement of an identity policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: str | list[str] = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    """A statement of a trust policy."""
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}

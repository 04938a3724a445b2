"""Switches for behaviour in which AWS varied over time, or which lasts only for a while."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

type Ghost = Literal["Principal not found", "Invalid repository policy provided"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: calls per second, and calls at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Switches:
    """By default AWS's last known behaviour. Times are in seconds.

    `ghost`: which of its two texts ECR uses of a missing principal (aws-facts 1.3).
    `takes_resource`: the newer documentation shows `"Resource": "*"` in repository policies (1.2).
    `takes_authorization_token`: ECR stored ecr:GetAuthorizationToken in November 2020, a month after refusing it (1.4).
    `expands_account_ids`: seen since 2020, and once in 2025 not (1.6).
    `propagation`: how long a new principal is not seen when a policy names it (1.3, 2.6).
    `raw_ids`: how long a trust policy shows a new principal by its unique id (2.1).
    `read_lag`: how long a read may show what stood before a write (2.6).
    `role_lag`: how long IAM says of a new role that it cannot be found (terraform-provider-aws #18435).
    `short_pages`: at most so many items a page, whatever was asked for; 0 for full pages (2.5).
    `rates`: token buckets per account, by "service:Action"; AWS publishes none (2.6).
    """

    ghost: Ghost = "Principal not found"
    takes_resource: bool = False
    takes_authorization_token: bool = True
    expands_account_ids: bool = True
    propagation: float = 0.0
    raw_ids: float = 0.0
    read_lag: float = 0.0
    role_lag: float = 0.0
    short_pages: int = 0
    rates: Mapping[str, Rate] = field(default_factory=dict)


def switches_to_json(switches: Switches) -> dict[str, Any]:
    """The switches as plain JSON values."""
    rates = {action: asdict(rate) for action, rate in switches.rates.items()}
    names = [name for name in Switches.__dataclass_fields__ if name != "rates"]
    return {**{name: getattr(switches, name) for name in names}, "rates": rates}


def switches_from_json(value: Mapping[str, Any]) -> Switches:
    """The switches from JSON values. Raises TypeError for an unknown one."""
    rates = {action: Rate(**rate) for action, rate in value.get("rates", {}).items()}
    return Switches(**{**value, "rates": rates})

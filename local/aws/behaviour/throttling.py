"""Token buckets per action and account, and the error of an empty one (aws-facts 1.3, 2.6)."""

from dataclasses import dataclass

from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.switches import Rate


@dataclass(frozen=True, slots=True)
class Bucket:
    """The remaining tokens of a rate, at a time in seconds."""

    tokens: float
    at: float

    @classmethod
    def full(cls, rate: Rate, now: float) -> "Bucket":
        """A full bucket."""
        return cls(float(rate.burst), now)


def taken(bucket: Bucket, rate: Rate, now: float) -> tuple[Bucket, bool]:
    """The bucket after one more call, and whether the call was allowed."""
    tokens = min(float(rate.burst), bucket.tokens + (now - bucket.at) * rate.per_second)
    return Bucket(tokens - 1, now) if tokens >= 1 else Bucket(tokens, now), tokens >= 1


def rate_exceeded(service: str) -> Refused:
    """The service's own error: IAM and STS say Throttling (2.6), ECR answers 429 (1.3)."""
    if service == "ecr":
        return Refused("ThrottleException", "Rate exceeded", 429)
    return Refused("Throttling", "Rate exceeded", 400)

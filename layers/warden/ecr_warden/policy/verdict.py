"""What IAM says of a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowed:
    """Some statement allows it and none denies it; `because` says which, one sentence each."""

    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplicitlyDenied:
    """A Deny statement matches; `because` says which."""

    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImplicitlyDenied:
    """Nothing denies it, and not all that would have to allow it do; `because` says what is missing."""

    because: tuple[str, ...] = ()


type Verdict = Allowed | ExplicitlyDenied | ImplicitlyDenied

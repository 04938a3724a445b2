"""What IAM says of a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a verdict: a statement that decided, or what is missing.

    `policy` says which document, as the input names it ("" for the only one); `statement` counts from 0, None where no
    statement is meant; `text` is a sentence for people, harmless to print.
    """

    policy: str
    text: str
    statement: int | None = None
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """All that have to allow it do, and none denies it; `because` names the statements."""

    because: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplicitlyDenied:
    """A Deny statement matches; `because` names every one that does."""

    because: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class ImplicitlyDenied:
    """Nothing denies it, and not all that would have to allow it do; `because` says what is missing."""

    because: tuple[Reason, ...] = ()


type Verdict = Allowed | ExplicitlyDenied | ImplicitlyDenied

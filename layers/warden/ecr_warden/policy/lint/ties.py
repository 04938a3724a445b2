"""Do a statement's conditions say whose request it must be?"""

from ecr_warden.policy.lint.subject import Part, Term
from ecr_warden.policy.operators import network

_PRINCIPAL = frozenset({"aws:principalarn", "aws:userid", "aws:username"})
_SOURCE = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"})
# AWS's own list of what makes a policy not public, less what S3 and KMS alone have:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
_CALLER = (
    _PRINCIPAL
    | _SOURCE
    | {
        *("aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceip", "aws:sourcevpc"),
        *("aws:sourcevpce", "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"),
        "aws:principalservicename",
    }
)
_ARN_PARTS = 6
_ACCOUNT = 4


def ties_caller(part: Part) -> bool:
    """Is the caller, its account, organization or network named?"""
    return any(_ties(term, _CALLER) for term in part.terms)


def ties_to_principal(part: Part) -> bool:
    """Are single users or roles named?"""
    return any(_ties(term, _PRINCIPAL) for term in part.terms)


def names_source(part: Part) -> bool:
    """Is it said for whom a service acts?"""
    return any(_ties(term, _SOURCE) for term in part.terms)


def _ties(term: Term, keys: frozenset[str]) -> bool:
    return term.key in keys and term.certain and all(_fixed(term, value.text) for value in term.values)


def _fixed(term: Term, value: str) -> bool:
    """Is the value more than a pattern for everything?"""
    if not value.strip("*?"):
        return False
    if term.key.endswith("arn"):
        # A pattern for the account names nobody; S3's ARNs have none.
        parts = value.split(":", _ARN_PARTS - 1)
        return len(parts) == _ARN_PARTS and (not parts[_ACCOUNT] or bool(parts[_ACCOUNT].strip("*?")))
    if term.base == "IpAddress":
        found = network(value)
        return found is not None and found.prefixlen > 0
    return True

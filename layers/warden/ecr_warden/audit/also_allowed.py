"""What the spec allows besides its grants."""

from ecr_warden.core.actions import FOR_DOCKER, REQUIRED, Access
from ecr_warden.core.desired import AlsoAllowed
from iam_access.arn import parse_arn
from iam_access.document.pattern import pattern_covers
from iam_access.document.variables import literal_glob


def covers(exception: AlsoAllowed, principal: str, access: str, account: str, repositories: str) -> bool:
    """Whether an entry of `also_allowed` covers all of this; `repositories`: a name or a pattern."""
    return (
        exception.account in ("", account)
        and (not exception.access or not {access, *_WHOLES.get(access, ())}.isdisjoint(exception.access))
        and (
            not exception.repositories
            or any(pattern_covers(repository, repositories) for repository in exception.repositories)
        )
        and any(_names(one, principal) for one in exception.principals)
    )


_WHOLES = {
    half: [one for one in (Access.PULL, Access.PUSH) if half in (*REQUIRED[one], *FOR_DOCKER[one])]
    for half in REQUIRED[Access.PULL]
}
"""What needs each half of a pull: a pull, and for its manifests docker's push."""


def _names(entry: str, principal: str) -> bool:
    """Does an entry name a principal? A `*` in an ARN stays in its part: an IAM path may have any text, even colons.

    An account is everybody in it, but no identity provider: that vouches for others.
    """
    if entry in ("*", principal):
        return True
    arn, pattern = parse_arn(principal), parse_arn(entry)
    if arn is None:
        return False
    is_provider = arn.resource.startswith(("oidc-provider/", "saml-provider/"))
    if pattern is None:
        return arn.account == entry and not is_provider
    parts = ((pattern.service, arn.service), (pattern.account, arn.account), (pattern.resource, arn.resource))
    return not (is_provider and pattern.resource == "*") and all(
        literal_glob(mine).matches(theirs) for mine, theirs in parts
    )

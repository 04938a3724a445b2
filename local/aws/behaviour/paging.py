"""Pages of lists: how many items a page has, and where the next one begins (aws-facts 1.1, 2.5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.aws.behaviour.outcome import Refused


@dataclass(frozen=True, slots=True)
class Paging:
    """An operation's lists, counted together in this order, and the names of its paging parameters and results."""

    lists: tuple[str, ...]
    size: str = "MaxItems"
    token: str = "Marker"
    next: str = "Marker"
    truncated: str = "IsTruncated"
    default: int = 100
    most: int = 1000
    alone: str = ""  # a parameter that admits no paging
    alone_most: int = 100


_ROLES = "iam:GetAccountAuthorizationDetails"
PAGES: Mapping[str, Paging] = {
    # aws-facts 1.1: maxResults 1..1000, a page of 100, nextToken not with repositoryNames (1..100 of them).
    "ecr:DescribeRepositories": Paging(
        ("repositories",), "maxResults", "nextToken", "nextToken", truncated="", alone="repositoryNames"
    ),
    # aws-facts 2.5: MaxItems 1..1000, 100 by default, fewer with IsTruncated=true.
    _ROLES: Paging(("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")),
    "iam:ListPolicies": Paging(("Policies",)),
    "iam:ListRoles": Paging(("Roles",)),
    "iam:ListUsers": Paging(("Users",)),
    "iam:ListRolePolicies": Paging(("PolicyNames",)),
    "iam:ListUserPolicies": Paging(("PolicyNames",)),
    "iam:ListAttachedRolePolicies": Paging(("AttachedPolicies",)),
    "iam:ListAttachedUserPolicies": Paging(("AttachedPolicies",)),
    "iam:ListGroupsForUser": Paging(("Groups",)),
}


@dataclass(frozen=True, slots=True)
class Page:
    """The part of each list that is shown, and the token of the next page; empty for the last page."""

    parts: tuple[slice, ...]
    token: str


def asked(paging: Paging, size: int | None, token: str, named: int = 0) -> Refused | None:
    """The error of a request for a page, if it has one; `named`: how many items the call names one by one."""
    service = "ecr" if paging.truncated == "" else "iam"
    code = "InvalidParameterException" if service == "ecr" else "ValidationError"
    if size is not None and not 1 <= size <= paging.most:
        return Refused(code, f"{paging.size} must be between 1 and {paging.most}")
    if token and not re.fullmatch(r"[1-9]\d*", token):
        return Refused(code, f"{paging.token} is not valid")
    if named and (token or size is not None):
        return Refused(code, f"{paging.size} and {paging.token} cannot be used with {paging.alone}")
    if named > paging.alone_most:
        return Refused(code, f"{paging.alone} must have length less than or equal to {paging.alone_most}")
    return None


def cut(paging: Paging, lengths: Sequence[int], size: int | None, token: str, short_pages: int = 0) -> Page:
    """The page of the lists with these lengths. Tokens are opaque for callers; here they count the items before."""
    first = int(token) if token else 0
    wanted = size or paging.default
    last = first + (min(wanted, short_pages) if short_pages else wanted)
    parts: list[slice] = []
    begin = 0
    for length in lengths:
        parts.append(slice(max(0, first - begin), max(0, last - begin)))
        begin += length
    return Page(tuple(parts), str(last) if last < begin else "")

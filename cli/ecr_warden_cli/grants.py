"""The grants that are about a repository or a principal."""

import re
from collections.abc import Mapping

from ecr_warden.core.grant import Grant
from ecr_warden.core.selection import is_about, named_by, selects
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.hub.reply import GrantsReply
from iam_access.arn import parse_arn
from iam_access.text.nearest import nearest

_IDENTITY = re.compile(r"(user|role)/(?:.*/)?([^/]+)")
# A target whose name may be a pattern.
_PLACE = re.compile(r"repository/([^/]+)/([^/]+)/(.+)")
_WHOLE = re.compile(r"[0-9]{12}/[a-z0-9-]+/.+")
_SUGGESTED = 3


def concerning(reply: GrantsReply, text: str) -> GrantsReply:
    """The reply with only what a text is about.

    A repository by its name, a pattern, `account/region/name` or in full; or a principal by its ARN, as
    `ALIAS:user/NAME` or as `user/ACCOUNT/NAME`, also through its whole account; or by a word of it, such as an
    account's or organization's ID.
    """
    if _WHOLE.fullmatch(text):
        text = f"repository/{text}"
    principal = _identity(text, reply.accounts)
    found = tuple(grant for grant in reply.grants if _is_of(grant, text) or _names(grant, text, principal))
    literals = tuple(
        literal for literal in reply.literals if any(_is_there(word, text, principal) for word in literal.split(" "))
    )
    return GrantsReply(reply.version, found, literals, reply.accounts)


def similar(reply: GrantsReply, text: str) -> list[str]:
    """What somebody may have meant who gets no grant: names of repositories, ARNs and the ways to write them."""
    aliases = {account: alias for alias, account in reply.accounts.items()}
    names = {place[3] for grant in reply.grants if (place := _PLACE.fullmatch(grant.repository))}
    for grant in reply.grants:
        arn = parse_arn(grant.who.split(" ")[0])
        if arn is not None:
            names |= {grant.who.split(" ")[0], f"{aliases.get(arn.account, arn.account)}:{arn.resource}"}
    return nearest(text, sorted(names), most=_SUGGESTED)


def _is_of(grant: Grant, text: str) -> bool:
    place = _PLACE.fullmatch(grant.repository)
    if place is None or ":" in text:  # no repository has a colon in its name, and a pattern would fit it all the same
        return False
    account, region, name = place.groups()
    asked = named_by(text)
    alone = RepositoryTarget(account, region, asked.name if isinstance(asked, RepositoryTarget) else text)
    is_excluded = any(selects(one, alone) for one in grant.excluded)
    return is_about(text, RepositoryTarget(account, region, name)) and not is_excluded


def _names(grant: Grant, text: str, principal: str) -> bool:
    """Whether the grant lets in who the text says, lets in their whole account, or leads through them."""
    words = grant.who.split(" ")
    if text in words or (principal and principal in (_identity(words[0], {}), grant.through)):
        return True
    return bool(principal) and grant.who.startswith(f"the account {principal.split('/')[1]}")


def _is_there(target: str, text: str, principal: str) -> bool:
    named = named_by(target)
    return target == principal or (named is not None and selects(text, named))


def _identity(text: str, accounts: Mapping[str, str]) -> str:
    """`user/ACCOUNT/NAME` of a user or role that is written in any way; empty for anything else."""
    arn = parse_arn(text)
    alias, _, resource = text.partition(":")
    account, resource = (arn.account, arn.resource) if arn is not None else (accounts.get(alias, ""), resource)
    found = _IDENTITY.fullmatch(resource)
    if account and found:
        return f"{found[1]}/{account}/{found[2]}"
    named = named_by(text)
    return str(named) if named is not None and not isinstance(named, RepositoryTarget) else ""

"""Whom a spec gives access, and which of it is about a repository or a principal."""

import re
from collections.abc import Mapping

from msgspec import field

from ecr_warden.access_spec.granted import grants_of
from ecr_warden.access_spec.spec import Spec
from ecr_warden.core.address import repository_policy
from ecr_warden.core.grant import Grant
from ecr_warden.core.selection import is_about, named_by, selects
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.core.value import Value
from iam_access.arn import parse_arn
from iam_access.text.nearest import nearest

_IDENTITY = re.compile(r"(user|role)/(?:.*/)?([^/]+)")
# A target whose name may be a pattern.
_PLACE = re.compile(r"repository/([^/]+)/([^/]+)/(.+)")
_WHOLE = re.compile(r"[0-9]{12}/[a-z0-9-]+/.+")
_SUGGESTED = 3


class GrantList(Value, frozen=True, tag_field="kind", tag="grants"):
    """The grants of a spec. `literals`: addresses of literal documents; the access that these give is not in `grants`.

    `accounts`: the IDs of the spec's accounts by alias.
    """

    version: str = field(name="specVersion")
    grants: tuple[Grant, ...]
    literals: tuple[str, ...]
    accounts: Mapping[str, str]


def grants_in(version: str, spec: Spec) -> GrantList:
    """The grants of a version."""
    beside = (at for repository in spec.repositories if repository.beside is not None for at in repository.targets)
    addresses = (*map(repository_policy, beside), *(at for literal in spec.literals for at in literal.addresses))
    return GrantList(version, grants_of(spec), tuple(map(str, addresses)), spec.ids)


def concerning(every: GrantList, text: str) -> GrantList:
    """Only what a text is about.

    A repository by its name, a pattern, `account/region/name` or in full; or a principal by its ARN, as
    `ALIAS:user/NAME` or as `user/ACCOUNT/NAME`, also through its whole account; or by a word of it, such as an
    account's or organization's ID.
    """
    if _WHOLE.fullmatch(text):
        text = f"repository/{text}"
    principal = _identity(text, every.accounts)
    found = tuple(grant for grant in every.grants if _is_of(grant, text) or _names(grant, text, principal))
    literals = tuple(
        literal for literal in every.literals if any(_is_there(word, text, principal) for word in literal.split(" "))
    )
    return GrantList(every.version, found, literals, every.accounts)


def similar(every: GrantList, text: str) -> list[str]:
    """What somebody may have meant who gets no grant: names of repositories, ARNs and the ways to write them."""
    aliases = {account: alias for alias, account in every.accounts.items()}
    names = {place[3] for grant in every.grants if (place := _PLACE.fullmatch(grant.repository))}
    for grant in every.grants:
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

"""How people write users and roles: `ci:user/push-user` where their account has an alias, else the ARN."""

import re
from collections.abc import Iterable, Mapping

from iam_access.arn import iam_arn, parse_arn

_NAMED = re.compile(
    r"(?<![^\s(])(?:arn:aws[a-z-]*:(?:iam|sts)::(?P<of>[0-9]{12}):(?=(?:user|role|assumed-role|federated-user)/)"
    r"|(?P<kind>(?:user|role)/)(?P<account>[0-9]{12})/"
    r"|(?P<organization>o-[a-z0-9]{10,32})(?=[,;:.)]?(?:\s|$))"
    r"|(?P<id>[0-9]{12})(?=[,;:.)]?(?:\s|$)))"
)
"""What stands before the name in an ARN or a target, or an account's ID; in quotes, and as the value of a parameter, it
is a policy's.
"""
_WRITTEN = re.compile(r"(?:(?P<account>[^:/]+):)?(?:(?P<kind>user|role)/)?(?:(?P<id>[0-9]{12})/)?(?P<name>[^:]+)")


def spelled(text: str, aliases: Mapping[str, str]) -> str:
    """A text for people with each user and role as they write it, and the alias of an account beside its ID.

    `aliases`: of accounts, by their IDs.
    """
    return _NAMED.sub(lambda found: _short(found, aliases), text) if aliases else text


def shortened(text: str, aliases: Mapping[str, str]) -> str:
    """The same where it makes a text no longer, with the account's ID where it has no alias: for messages."""
    return _NAMED.sub(lambda found: min(found[0], _short(found, aliases, found["of"]), key=len), text)


def _short(found: re.Match[str], aliases: Mapping[str, str], unnamed: str | None = None) -> str:
    alias = aliases.get(found["of"] or found["account"] or found["id"] or found["organization"], unnamed)
    if alias is None or found.string.endswith(f"{alias} (", 0, found.start()):
        return found[0]
    if found["organization"]:
        return alias
    return f"{alias} ({found['id']})" if found["id"] else f"{alias}:{found['kind'] or ''}"


def meant(text: str, ids: Mapping[str, str], arns: Iterable[str]) -> list[str]:
    """The ARNs of the users and roles that people may mean: by the ARN, as it is spelled, or by the name alone.

    `ids`: of accounts by their aliases; `arns`: of those that are known, as whoever is written with an account need not
    be.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return [text]
    account = ids.get(found["account"] or "", found["account"]) or found["id"]
    known = [arn for arn in arns if _is_called(arn, account, found["kind"], found["name"])]
    is_whole = found["account"] in ids and found["kind"] and not known
    return [iam_arn(ids[found["account"]], f"{found['kind']}/{found['name']}")] if is_whole else known


def _is_called(text: str, account: str | None, kind: str | None, name: str) -> bool:
    arn = parse_arn(text)
    if arn is None or account not in (None, arn.account):
        return False
    own, _, path = arn.resource.partition("/")
    return kind in (None, own) and name in (path, arn.name)

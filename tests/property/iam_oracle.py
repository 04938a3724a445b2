"""What IAM says of one request and all policies, a second time: written from AWS's pages, without the engine's code.

Covers what `iam_requests` draws; whether a statement's action, resource and condition match, policy_oracle says.
"""

from collections.abc import Mapping
from typing import Any

from tests.property.policy_oracle import Request, as_list, matches

type Json = Mapping[str, Any]


def context_of(request: Json) -> dict[str, list[str]]:
    """The given keys over those that everybody knows."""
    who = request["principal"]
    account = account_of(who)
    keys: dict[str, list[str]] = {}
    if ":user/" in who:
        keys = {"aws:username": [who.split("/")[-1]], "aws:principalarn": [who]}
    elif ":assumed-role/" in who:
        keys = {"aws:principalarn": [f"arn:aws:iam::{account}:role/{who.split('/')[1]}"]}
    elif who.endswith(":root") or ":federated-user/" in who:
        keys = {"aws:principalarn": [who]}
    if account or who == "*":
        keys["aws:principalaccount"] = [account or "anonymous"]
    return keys | {key.lower(): [str(one) for one in as_list(value)] for key, value in request["context"].items()}


def account_of(who: str) -> str:
    return who.split(":")[4] if who.startswith("arn:") else ""


def names(element: Any, who: str, issuer: str = "") -> set[str]:
    """The ways in which a Principal element names somebody; `issuer`: who opened a federated user's session."""
    account = account_of(who)
    ways: set[str] = set()
    kinds = {"AWS": "*"} if element == "*" else element
    for kind, entries in kinds.items():
        for entry in as_list(entries):
            if kind == "Service":
                ways |= {"self"} if entry == who else set()
            elif entry == "*":
                ways.add("anyone")
            elif account and entry in (account, f"arn:aws:iam::{account}:root"):
                ways.add("self" if who.endswith(":root") else "account")
            elif entry == who:
                ways.add("self")
            elif issuer and entry == issuer:
                ways.add("role")
            elif ":assumed-role/" in who and entry.startswith(f"arn:aws:iam::{account}:role/"):
                ways |= {"role"} if entry.split("/")[-1] == who.split("/")[1] else set()
    return ways


def ways_of(statement: Json, who: str, issuer: str = "") -> set[str]:
    if "Principal" in statement:
        return names(statement["Principal"], who, issuer)
    if "NotPrincipal" not in statement:
        return {"self"}
    ways = names(statement["NotPrincipal"], who, issuer)
    if statement["Effect"] == "Allow":
        return set() if ways else {"anyone"}
    levels = {"self"}
    if account_of(who) and not who.endswith(":root"):
        levels.add("account")
    if ":assumed-role/" in who:
        levels.add("role")
    if issuer and "role" in ways:
        levels = {"account"}
    return set() if "anyone" in ways or levels <= ways else {"anyone"}


def statement_ways(statement: Json, request: Json, version: str) -> set[str]:
    """How a statement that matches names the principal; empty where it does not match."""
    who, context = request["principal"], {key: tuple(values) for key, values in context_of(request).items()}
    asked = Request(who, request["action"], request["resource"], context)
    return (
        ways_of(statement, who, request.get("issuer", ""))
        if matches(statement, asked, literal=version != "2012-10-17")
        else set()
    )


def look(documents: list[Json], request: Json, *, hung: bool = False, bounded: bool = False) -> tuple[set[str], bool]:
    """(the ways in which Allow statements name the principal, whether a Deny matches)."""
    ways: set[str] = set()
    denied = False
    for document in documents:
        for statement in as_list(document["Statement"]):
            if hung and "Principal" not in statement and "NotPrincipal" not in statement:
                continue
            denies_all = bounded and statement["Effect"] == "Deny" and "NotPrincipal" in statement
            read = {name: value for name, value in statement.items() if name != "NotPrincipal" or not denies_all}
            found = statement_ways(read, request, document.get("Version", "2008-10-17"))
            if statement["Effect"] == "Deny":
                denied = denied or bool(found)
            else:
                ways |= found
    return ways, denied


def verdict(request: Json, policies: Json) -> str:
    """Allowed, ImplicitlyDenied or ExplicitlyDenied."""
    who = request["principal"]
    is_root = who.endswith(":root")
    has_policies = any(kind in who for kind in (":user/", ":assumed-role/", ":federated-user/"))
    assumes = request["action"].lower() == "sts:assumerole"
    hangs = policies.get("trust" if assumes else "resource")
    bounded = has_policies and "boundary" in policies
    resource_ways, denied = look([hangs] if hangs else [], request, hung=True, bounded=bounded)
    mine, limits = True, True
    if has_policies:
        identity_ways, identity_denied = look(policies.get("identity", []), request)
        denied = denied or identity_denied
        for name in ("boundary", "session"):
            if name in policies:
                allowed, limit_denied = look([policies[name]], request)
                denied, limits = denied or limit_denied, limits and bool(allowed)
        mine = bool(identity_ways) and limits
    organized = True
    for name, applies in (("scp", has_policies or is_root), ("rcp", True)):
        for level in policies.get(name, []) if applies else []:
            allowed, level_denied = look(level, request)
            denied, organized = denied or level_denied, organized and bool(allowed)
    if denied:
        return "ExplicitlyDenied"
    same = account_of(who) == request["resource"].split(":")[4]
    if is_root and assumes:
        good = False
    elif not account_of(who):
        good = bool(resource_ways)
    elif not same:
        good = bool(resource_ways) and mine
    else:
        good = bool(resource_ways & {"self", "anyone"}) or ("role" in resource_ways and limits)
        good = good or (mine and (not assumes or bool(resource_ways)))
    return "Allowed" if good and organized else "ImplicitlyDenied"

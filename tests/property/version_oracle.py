"""What a version does to the accounts, by carrying it out and asking everybody everything; slow and plain.

Imports nothing that judges a version: documents are JSON as the compiled spec has them, requests are asked of the
tests' own oracle (policy_oracle), one statement at a time.
"""

import copy
import fnmatch
import json
from functools import cache
from itertools import product
from typing import Any, NamedTuple

from tests.property.policy_oracle import Request, allowed

type Json = dict[str, Any]

HOME, REGION = "222222222222", "eu-central-1"
ACTIONS = (
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:PutImage",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
)
MAY_COME = ("lab/new", "lab/else", "lab/other", "labs/x", "shop/z", "free/new", "none/new")
PAPERS = "arn:aws:s3:::papers/x"
TIMES = ("2026-11-25T00:00:00Z", "2027-06-01T00:00:00Z")
KEPT: Json = {"kept": "as it is"}
"""In place of a document that enforced and observed grants share."""


class Version(NamedTuple):
    """A version as it is written to the accounts: of each target its documents and how much of it they are.

    `targets`: by kind/account/name: enforced, extent, documents by name (a repository's is "").
    `patterns`: `(name, excluded, enforced, document)`.
    """

    enforces: bool
    targets: dict[str, tuple[bool, str, Json]]
    patterns: tuple[tuple[str, tuple[str, ...], bool, Json | None], ...]

    def pattern_of(self, name: str) -> tuple[str, tuple[str, ...], bool, Json | None] | None:
        """The pattern that a repository without an entry fits."""
        fits = (one for one in self.patterns if fnmatch.fnmatchcase(name, one[0]) and name not in one[1])
        return next(fits, None)


class State(NamedTuple):
    """The accounts: the policies of repositories, None for none; inline policies and trust policies by ARN."""

    repositories: dict[str, Json | None]
    own: dict[str, dict[str, Json]]
    trusts: dict[str, Json]


class Person(NamedTuple):
    """Somebody who asks: `kind` says who vouches for them."""

    arn: str
    context: tuple[tuple[str, str], ...] = ()


OUTSIDERS = (
    Person("arn:aws:iam::999999999999:user/outsider"),
    Person("arn:aws:iam::999999999999:user/contractor"),
    Person("arn:aws:iam::777777777777:user/member", (("aws:principalorgid", "o-b1b2c3d4e5"),)),
    *(
        Person(
            f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com",
            (
                ("token.actions.githubusercontent.com:aud", "sts.amazonaws.com"),
                ("token.actions.githubusercontent.com:repository_id", repository),
                ("token.actions.githubusercontent.com:sub", f"repo:{name}/x@{repository}:{form}ref:refs/heads/main"),
            ),
        )
        for name in ("acme@13", "evil@66")
        for repository in ("345", "777")
        # A template of their own may have a text of theirs before the branch.
        for form in ("", f"job_workflow_ref:evil/a/x@refs/heads/y@12/b@{repository}:")
    ),
)
"""Nobody in the first version's accounts and organizations, and no owner that it names."""


def carried_out(state: State, old: Version, new: Version) -> State:
    """The accounts once a version is enforced."""
    after = copy.deepcopy(state)
    for key, (is_enforced, extent, documents) in new.targets.items():
        if is_enforced:
            _write(after, key, extent, documents)
    for name in after.repositories:
        found = new.pattern_of(name)
        if _key(name) not in new.targets and found is not None and found[2]:
            after.repositories[name] = found[3]
    if new.enforces:
        _clear(after, old, new)
    return after


def _write(after: State, key: str, extent: str, documents: Json) -> None:
    kind, _, name = key.split("/", 2)
    if kind == "repository":
        after.repositories[name.partition("/")[2]] = documents[""]
        return
    arn = arn_of(key, documents)
    kept = {one: value for one, value in after.own.get(arn, {}).items() if not _goes(one, extent)}
    for name, value in documents.items():
        if name not in ("trust", "role"):
            kept[name] = value if value != KEPT else after.own.get(arn, {}).get(name, _NOTHING)
    after.own[arn] = kept
    if "trust" in documents and documents["trust"] != KEPT:
        after.trusts[arn] = documents["trust"]


def _goes(policy: str, extent: str) -> bool:
    return extent == "whole" or (extent == "ours" and policy.startswith("ecr-warden-"))


def _clear(after: State, old: Version, new: Version) -> None:
    """What the version names no more, and what of ecr-warden's nobody names."""
    for key, (was_enforced, extent, documents) in old.targets.items():
        kind, _, name = key.split("/", 2)
        if key in new.targets or not was_enforced:
            continue
        repository = name.partition("/")[2]
        if kind == "repository" and extent == "whole" and new.pattern_of(repository) is None:
            after.repositories[repository] = None
        if "role" in documents:
            after.own.pop(arn_of(key, documents), None)
            after.trusts.pop(arn_of(key, documents), None)
    for name in after.repositories:
        was = old.pattern_of(name)
        is_named = _key(name) in new.targets or new.pattern_of(name) is not None
        if _key(name) not in old.targets and was is not None and was[2] and not is_named:
            after.repositories[name] = None
    named = {arn_of(key, documents) for key, (_, _, documents) in new.targets.items()}
    for arn, policies in after.own.items():
        if arn not in named:
            after.own[arn] = {name: one for name, one in policies.items() if not name.startswith("ecr-warden-")}


def _key(name: str) -> str:
    return f"repository/{HOME}/{REGION}/{name}"


def arn_of(key: str, documents: Json) -> str:
    """The ARN of a user or role; push roles are at a path of their own."""
    kind, account, name = key.split("/", 2)
    return f"arn:aws:iam::{account}:{kind}/{'ecr-warden/' if 'role' in documents else ''}{name}"


_NOTHING: Json = {"Statement": []}

# Who can do what


def access(state: State, person: Person, when: str) -> set[tuple[str, str]]:
    """Every action on every repository, and on anything in S3, that somebody may do, as a role too."""
    found: set[tuple[str, str]] = set()
    for one in _reached(state, person, when):
        for action in ACTIONS:
            if action.startswith("s3:"):
                found |= {(action, "s3")} if _own(state, one, action, PAPERS, when) == {"Allow"} else set()
                continue
            found |= {(action, name) for name in state.repositories if _may(state, one, action, name, when)}
    return found


def _may(state: State, one: Person, action: str, name: str, when: str) -> bool:
    own = _own(state, one, action, f"arn:aws:ecr:{REGION}:{HOME}:repository/{name}", when)
    theirs = said(state.repositories[name], one, action, "", when)
    if "Deny" in own | theirs:
        return False
    is_at_home = f"::{HOME}:" in one.arn and "-provider/" not in one.arn
    return "Allow" in (own | theirs) if is_at_home else "Allow" in own and "Allow" in theirs


def _own(state: State, one: Person, action: str, resource: str, when: str) -> set[str]:
    """What their own policies say; whoever is not known has every right that their account can give."""
    role = _role_of(state, one)
    if role is None and one.arn not in state.own:
        return {"Allow"} if one.arn.startswith("arn:aws:iam::") and "-provider/" not in one.arn else set()
    policies = state.own.get(role or one.arn, {}).values()
    return set().union(*(said(policy, one, action, resource, when) for policy in policies))


def _role_of(state: State, one: Person) -> str | None:
    if ":assumed-role/" not in one.arn:
        return None
    account, name = one.arn.split(":")[4], one.arn.split("/")[1]
    return next(arn for arn in state.trusts if f"::{account}:" in arn and arn.endswith(f"/{name}"))


def _reached(state: State, person: Person, when: str) -> list[Person]:
    """The person, and every role that they can take, one after another."""
    found = [person]
    for one in found:
        for role, trust in state.trusts.items():
            session = Person(f"arn:aws:sts::{role.split(':')[4]}:assumed-role/{role.rpartition('/')[2]}/s")
            if session not in found and _takes(state, one, role, trust, when):
                found.append(session)
    return found


def _takes(state: State, one: Person, role: str, trust: Json, when: str) -> bool:
    is_web = "-provider/" in one.arn
    theirs = said(trust, one, "sts:AssumeRoleWithWebIdentity" if is_web else "sts:AssumeRole", "", when)
    own = {"Allow"} if is_web else _own(state, one, "sts:AssumeRole", role, when)
    return "Deny" not in own | theirs and "Allow" in own and "Allow" in theirs


def said(document: Json | None, one: Person, action: str, resource: str, when: str) -> set[str]:
    """The effects of the statements that match."""
    if document is None:
        return set()
    return {effect for effect, text in _statements(document) if _matches(text, one, action, resource, when)}


def _statements(document: Json) -> list[tuple[str, str]]:
    """The effect and the text of each; nobody changes a document, and everybody asks of the same ones."""
    if id(document) not in _ASKED_OF:
        said = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        version = document.get("Version", "2008-10-17")
        _ASKED_OF[id(document)] = document, [(each["Effect"], json.dumps([version, each])) for each in said]
    return _ASKED_OF[id(document)][1]


_ASKED_OF: dict[int, tuple[Json, list[tuple[str, str]]]] = {}
"""With the document, so that no other one gets its number."""


@cache
def _matches(text: str, one: Person, action: str, resource: str, when: str) -> bool:
    version, statement = json.loads(text)
    context = {key: (value,) for key, value in (*one.context, ("aws:currenttime", when))}
    request = Request(one.arn, action, resource, context)
    return allowed({"Version": version, "Statement": [{**statement, "Effect": "Allow"}]}, request)


# What somebody would want to see first


def taken_over(before: State, after: State, versions: tuple[Version, Version], people: list[Person]) -> list[str]:
    """The documents that exist, that nothing enforced, and that say something else afterwards.

    What of ecr-warden's lies at a user or role that nobody names was to go already, until the version names it.
    """
    old, new = versions
    newly_named = {arn_of(key, one[2]) for key, one in new.targets.items() if one[0]}
    found = [
        name
        for name, policy in before.repositories.items()
        if policy is not None and not _governs(old, name) and differ(policy, after.repositories.get(name), people)
    ]
    named = {arn_of(key, one[2]): one for key, one in old.targets.items()}
    for arn, policies in before.own.items():
        enforced, extent, documents = named.get(arn, (False, "", {}))
        for name, policy in policies.items():
            is_governed = enforced and (name in documents or _goes(name, extent))
            is_orphan = name.startswith("ecr-warden-") and old.enforces and arn not in {*named, *newly_named}
            if not (is_governed or is_orphan) and differ(policy, after.own.get(arn, {}).get(name), people):
                found.append(f"{arn} {name}")
    return found


def left_open(before: State, after: State, old: Version, new: Version) -> list[str]:
    """What was enforced, stays as it is and is not enforced any more, and what nobody looks at any more: repositories
    that may come, and other policies of an identity that had none.
    """
    found = [
        name
        for name, policy in before.repositories.items()
        if policy is not None and _governs(old, name) and not _governs(new, name) and after.repositories[name] == policy
    ]
    found += [name for name in MAY_COME if _key(name) not in old.targets and _governs(old, name) > _governs(new, name)]
    for key, (was_enforced, was_whole, documents) in old.targets.items():
        arn = arn_of(key, documents)
        is_enforced, extent, now = new.targets.get(key, (False, "", {}))
        if was_enforced and was_whole == "whole" and is_enforced and extent != "whole":
            found.append(f"others of {arn}")
        for name in documents if was_enforced and not key.startswith("repository/") else ():
            is_there = arn in after.own and (name in after.own[arn] or name == "trust")
            if is_there and not (is_enforced and (name in now or _goes(name, extent))):
                found.append(f"{arn} {name}")
    return found


def _governs(version: Version, name: str) -> bool:
    entry, pattern = version.targets.get(_key(name)), version.pattern_of(name)
    return entry[0] if entry is not None else pattern is not None and pattern[2]


def gained(before: State, after: State, person: Person) -> set[tuple[str, str]]:
    """What somebody may do after and not before, at any time."""
    return set().union(*(access(after, person, when) - access(before, person, when) for when in TIMES))


def lost(before: State, after: State, people: list[Person]) -> set[tuple[str, str, str]]:
    """Who may no longer pull from what, or push to it; of whom nothing was known before, nothing is lost."""
    return {
        grant
        for person, when in product(people, TIMES)
        if person.arn in before.own or person.arn not in after.own
        for grant in _grants(before, person, when) - _grants(after, person, when)
    }


def counted(before: State, after: State, people: list[Person], old: Version) -> set[tuple[str, str, str]]:
    """The grants that go: one for all repositories of a pattern, and each of them that everybody loses."""
    gone = lost(before, after, people)
    had = {grant for person, when in product(people, TIMES) for grant in _grants(before, person, when)}
    found = set[tuple[str, str, str]]()
    for person, kind, name in gone:
        pattern = None if _key(name) in old.targets else old.pattern_of(name)
        found.add((person, kind, name if pattern is None else pattern[0]))
        everybody = {grant for grant in had if grant[1:] == (kind, name)}
        if pattern is not None and everybody <= gone:
            found.add(("everybody", "", name))
    return found


def _grants(state: State, person: Person, when: str) -> set[tuple[str, str, str]]:
    return {
        (person.arn, "push" if action == "ecr:PutImage" else "pull", name)
        for action, name in access(state, person, when)
        if name != "s3"
    }


def differ(one: Json | None, other: Json | None, people: list[Person]) -> bool:
    """Whether two documents say something else to anybody, of any action."""
    resources = ("", f"arn:aws:ecr:{REGION}:{HOME}:repository/shop/a", PAPERS)
    return any(
        said(one, person, action, resource, when) != said(other, person, action, resource, when)
        for person, action, resource, when in product(people, (*ACTIONS, "sts:AssumeRole"), resources, TIMES)
    )

"""Who gains and loses is what brute force finds: every request, in every context, by the evaluator alone.

The documents' conditions are on three keys, and every value that matters of each is tried, for each resource by itself.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import product
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ecr_warden.core.access_change import Direction
from ecr_warden.core.address import Address, identity_policy, repository_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec, DesiredValue, Extent, Mode, TargetSpec
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, UserTarget, target_arn
from ecr_warden.versions.access_changes import access_changes
from iam_access.arn import iam_arn
from iam_access.document.document import Document, parse_document
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.request import make_request
from iam_access.evaluate.request_principal import parse_request_principal
from iam_access.evaluate.statement_match import Allowed
from tests import examples

CI, HOME, AWAY, REGION = "111111111111", "222222222222", "999999999999", "eu-central-1"
ORGANIZATION = "o-a1b2c3d4e5"
NAMED = [RepositoryTarget(HOME, REGION, name) for name in ("shop/a", "shop/b")]
# Repositories that no version names: what fits the narrower pattern, and what fits only the wider one.
UNNAMED = {"shop/*": "shop/zzz", "*": "yyy"}
PEOPLE: list[IdentityTarget] = [UserTarget(CI, "ann"), UserTarget(CI, "bob"), UserTarget(HOME, "carl")]
ROLES = [RoleTarget(HOME, "one"), RoleTarget(HOME, "two")]
FRED = iam_arn(AWAY, "user/fred")
CLASSES = {CI: iam_arn(CI, "root"), AWAY: iam_arn(AWAY, "root")}
NOBODY_KNOWN = "555555555555"
TOKEN = "ecr:GetAuthorizationToken"
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = (
    *("ecr:PutImage", "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"),
    *("ecr:CompleteLayerUpload", "ecr:BatchGetImage"),
)
NEEDED = {"pull": PULL, "push": PUSH[:1]}
ACTIONS: list[list[str]] = [list(PULL), list(PUSH), [*PULL, *PUSH], [PULL[0]], [PULL[1]], ["ecr:*"]]
CONDITIONS: list[Any] = [
    None,
    None,
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}},
    {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
]
ENVIRONMENTS = [
    {"aws:SourceIp": ip, "aws:CurrentTime": time}
    for ip, time in product(("10.0.0.1", "192.0.2.1"), ("2026-12-01T00:00:00Z", "2027-06-01T00:00:00Z"))
]

type Json = dict[str, Any]
type Found = set[tuple[str, str, str, Direction]]


def _arn(target: IdentityTarget) -> str:
    return target_arn(target)


PRINCIPALS = [*map(_arn, (*PEOPLE, *ROLES)), *CLASSES.values(), FRED, "*"]
RESOURCES = [*map(target_arn, NAMED), f"arn:aws:ecr:{REGION}:{HOME}:repository/shop/*", "*"]


def _statement(effect: str, actions: list[str], condition: Any, **rest: Any) -> Json:
    return {"Effect": effect, "Action": actions, **rest} | ({"Condition": condition} if condition else {})


_EFFECTS = st.sampled_from(["Allow", "Allow", "Allow", "Allow", "Deny"])


@st.composite
def attached(draw: st.DrawFn, actions: list[list[str]], *, most: int) -> Document | None:
    """A repository or trust policy."""
    statements = [
        _statement(
            draw(_EFFECTS),
            draw(st.sampled_from(actions)),
            draw(st.sampled_from(CONDITIONS)),
            Principal={"AWS": draw(st.lists(st.sampled_from(PRINCIPALS), min_size=1, max_size=3, unique=True))},
        )
        for _ in range(draw(st.integers(0, most)))
    ]
    return parse_document({"Version": "2012-10-17", "Statement": statements}) if statements else None


@st.composite
def own(draw: st.DrawFn) -> Document | None:
    """An identity policy."""
    statements: list[Json] = []
    if draw(st.integers(0, 4)):
        statements.append({"Effect": "Allow", "Action": TOKEN, "Resource": "*"})
    if draw(st.booleans()):
        roles = draw(st.lists(st.sampled_from([*map(_arn, ROLES), "*"]), min_size=1, max_size=2, unique=True))
        statements.append({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles})
    for _ in range(draw(st.integers(0, 2))):
        resources = draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2, unique=True))
        statements.append(
            _statement(
                draw(_EFFECTS), draw(st.sampled_from(ACTIONS)), draw(st.sampled_from(CONDITIONS)), Resource=resources
            )
        )
    return parse_document({"Version": "2012-10-17", "Statement": statements}) if statements else None


type Documents = Mapping[str, Document]
"""By the ARN of the repository or identity; a role's trust policy under `trust ARN`."""


@st.composite
def documents(draw: st.DrawFn) -> Documents:
    """Everything that a version says."""
    found = {target_arn(target): draw(attached(ACTIONS, most=2)) for target in NAMED}
    found |= {_arn(identity): draw(own()) for identity in (*PEOPLE, *ROLES)}
    found |= {f"trust {_arn(role)}": draw(attached([["sts:AssumeRole"]], most=1)) for role in ROLES}
    return {name: document for name, document in found.items() if document is not None}


@st.composite
def versions(draw: st.DrawFn) -> tuple[Documents, Documents]:
    """Two versions that have some documents in common."""
    before, other = draw(documents()), draw(documents())
    changed = draw(st.sets(st.sampled_from(sorted({*before, *other} or {""})), max_size=3))
    after = {name: document for name, document in before.items() if name not in changed}
    return before, after | {name: document for name, document in other.items() if name in changed}


def _compiled(held: Documents) -> CompiledSpec:
    targets: dict[str, TargetSpec] = {}
    for repository in NAMED:
        if (document := held.get(target_arn(repository))) is not None:
            targets[repository.key] = TargetSpec(repository, Extent.WHOLE, {repository_policy(repository): document})
    for identity in (*PEOPLE, *ROLES):
        at: dict[Address, DesiredValue] = {}
        if (document := held.get(_arn(identity))) is not None:
            at[identity_policy(identity, "own")] = document
        if isinstance(identity, RoleTarget) and (trust := held.get(f"trust {_arn(identity)}")) is not None:
            at[trust_policy(identity)] = trust
        if at:
            targets[identity.key] = TargetSpec(identity, Extent.NAMED, at)
    return CompiledSpec("v", Mode.ENFORCE, (CI, HOME), targets)


# Brute force

ALLOW_ALL = parse_document({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


class Side:
    """One version, asked request by request."""

    def __init__(self, held: Documents, known: frozenset[str]) -> None:
        self._held, self.known = held, known
        self.allowed = cache(self._allowed)

    def _allowed(self, who: str, action: str, resource: str, where: int, inside: bool, member: bool) -> bool:
        """`inside`: in the organization; `member`: as whoever is in the same account, and not by name."""
        attached = self._held.get(f"trust {resource}" if action == "sts:AssumeRole" else resource)
        principal = parse_request_principal(who)
        if who not in self.known or member:
            # In the repository's own account, what an account gives its own is not what this policy gives.
            is_own = principal.account == HOME and action != "sts:AssumeRole"
            mine: tuple[Document, ...] = () if is_own else (ALLOW_ALL,)
        else:
            mine = (self._held[who],) if who in self._held else ()
        if member and attached is not None:
            attached = _for_classes(attached, {"*", iam_arn(str(principal.account), "root")})
        is_trust = action == "sts:AssumeRole"
        policies = Policies(
            identity=mine, resource=None if is_trust else attached, trust=attached if is_trust else None
        )
        owner = None if resource == "*" else HOME
        context = ENVIRONMENTS[where] | ({"aws:PrincipalOrgID": ORGANIZATION} if inside else {})
        request = make_request(principal, action, resource, context, resource_account=owner)
        return isinstance(evaluate(request, policies), Allowed)


def _for_classes(document: Document, classes: set[str]) -> Document | None:
    import json  # noqa: PLC0415 - a plain rewrite of the text

    raw = json.loads(document.text)
    for statement in raw["Statement"]:
        if statement["Effect"] == "Allow":
            statement["Principal"]["AWS"] = [one for one in statement["Principal"]["AWS"] if one in classes]
    raw["Statement"] = [one for one in raw["Statement"] if one["Principal"]["AWS"]]
    return parse_document(raw) if raw["Statement"] else None


type Edge = tuple[str, str, bool]
"""From whom, to which role or to the repository, and whether as a member of the account."""


type Context = tuple[int, Mapping[str, bool]]
"""Where the request is made, and who is in the organization."""


def _edges(side: Side, repository: str, access: str, end: str, context: Context) -> frozenset[Edge]:
    """Which edges to one end there are."""
    where, inside = context
    asked = [("sts:AssumeRole", end)]
    if end == repository:
        asked = [(action, repository) for action in NEEDED[access]]
    return frozenset(
        (source, end, member)
        for source in inside
        for member in ((False, True) if source in side.known else (False,))
        if source != end and all(side.allowed(source, one, on, where, inside[source], member) for one, on in asked)
    )


def _reaches(edges: set[Edge], who: str, repository: str, *, as_named: bool) -> bool:
    plain = {(start, end) for start, end, member in edges if not (as_named and (start, end, True) in edges)}
    plain = {one for one in plain if not as_named or (*one, False) in edges}
    seen, waiting = {who}, deque([who])
    while waiting:
        here = waiting.popleft()
        for start, end in plain:
            if start == here and end not in seen:
                seen.add(end)
                waiting.append(end)
    return repository in seen


def _brute(before: Side, after: Side, who: str, repository: str, access: str, inside: Iterable[bool]) -> set[Direction]:
    """The directions in which access changes in some choice of a context for each resource.

    `inside`: whether it may be in the organization.
    """
    roles = [one for one in map(_arn, ROLES) if one != who and one in before.known]
    ends = [repository, *map(_arn, ROLES)]
    contexts = [
        (where, dict(zip((who, *roles), members, strict=True)))
        for where in range(len(ENVIRONMENTS))
        for members in product(inside, *([(False, True)] * len(roles)))
    ]
    kinds = [
        {tuple(_edges(side, repository, access, end, one) for side in (before, after)) for one in contexts}
        for end in ends
    ]
    found = set()
    for choice in product(*kinds):
        old = set[Edge]().union(*(one[0] for one in choice))
        new = set[Edge]().union(*(one[1] for one in choice))
        for direction, having, lacking in ((Direction.GAINS, new, old), (Direction.LOSES, old, new)):
            if _reaches(having, who, repository, as_named=True) and not _reaches(
                lacking, who, repository, as_named=False
            ):
                found.add(direction)
    return found


def _expected(pair: tuple[Documents, Documents]) -> Found:
    known = frozenset(name.removeprefix("trust ") for held in pair for name in held if ":repository/" not in name)
    before, after = (Side(held, known) for held in pair)
    texts = [document.text for held in pair for document in held.values()]
    either = (False, True)
    anyone = iam_arn(NOBODY_KNOWN, "user/anyone")
    asked: list[tuple[str, str, tuple[bool, ...]]] = [
        *((_arn(one), _arn(one), either) for one in (*PEOPLE, *ROLES)),
        *((account, iam_arn(account, "user/anyone"), either) for account in CLASSES),
        *((FRED, FRED, either), ("*", anyone, (False,)), (ORGANIZATION, anyone, (True,))),
    ]
    texts += [name for held in pair for name in held]
    places = {one.key: target_arn(one) for one in NAMED if any(target_arn(one) in text for text in texts)}
    for pattern, name in UNNAMED.items():
        if any(pattern in text for text in texts):
            shown = RepositoryTarget(HOME, REGION, pattern).key
            places[shown] = target_arn(RepositoryTarget(HOME, REGION, name))
    return {
        (who, key, access, direction)
        for who, text, inside in asked
        for key, repository in places.items()
        for access in NEEDED
        for direction in _brute(before, after, text, repository, access, inside)
    }


def _without_implied(found: Found) -> Found:
    """Without what the change of a class implies for those in it: an organization, accounts, single outsiders."""

    def wider(who: str) -> tuple[str, ...]:
        if who == "*":
            return ()
        return ("*",) if who == ORGANIZATION else ("*", ORGANIZATION, who.split(":")[4] if ":" in who else "")

    return {one for one in found if not {(name, *one[1:]) for name in wider(one[0])} & found}


@settings(examples.of(10, 25), phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(versions())
def test_changes_are_brute_forces(pair: tuple[Documents, Documents]) -> None:
    found = access_changes(_compiled(pair[0]), _compiled(pair[1]))
    seen = {
        (one.principal, one.repository, one.access, one.direction)
        for one in found.changes
        if one.access in NEEDED and f"/{HOME}/{REGION}/" in one.repository
    }
    assert found.undecided == ()
    assert _without_implied(seen) == _without_implied(_expected(pair))

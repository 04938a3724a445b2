"""Whom documents let in who is not ours, a second time: each outsider, each action, each instant, each context.

Slow and plain, without a line of the engine; it knows what `outsiders` draws. Whoever is not ours is one person, who
may act as any outsider at any time from now on, and whose own account allows everything.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple

type Json = dict[str, Any]
type Context = Mapping[str, str]
"""Values by condition key in lower case; what it lacks, the request lacks."""

CI, HOME = "111111111111", "222222222222"
OURS = (CI, HOME)
NOW = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
DAY, LONGEST = 86_400, 43_200
_END_OF_TIME = 253_402_300_799
"""The last second of the year 9999: no request's aws:CurrentTime is later."""
HALVES = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = "ecr:PutImage"
ACTIONS = (*HALVES, PUSH)
ASSUME = "sts:AssumeRole"

ACME = "o-a1b2c3d4e5"
"""The organization of our accounts; some outsiders are in it too."""
NOWHERE = "777777777777"
"""An account that no document names."""
CLOCKS = ("aws:currenttime", "aws:epochtime")
ISSUED, MFA, AGE, ADDRESS = (
    "aws:tokenissuetime",
    "aws:multifactorauthpresent",
    "aws:multifactorauthage",
    "aws:sourceip",
)
_ORGANIZATION, TAG = "aws:principalorgid", "aws:principaltag/team"
_OF_WHO = ("aws:principalarn", "aws:principalaccount", "aws:principaltype")


class Who(NamedTuple):
    """Who asks: a user, the root user of an account, a session of a role."""

    arn: str

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def role(self) -> str:
        """The role of a session, without a path; "" of others."""
        found = re.fullmatch("arn:aws:sts::([0-9]+):assumed-role/([^/]+)/.+", self.arn)
        return f"arn:aws:iam::{found[1]}:role/{found[2]}" if found else ""

    @property
    def is_ours(self) -> bool:
        return self.account in OURS

    def keys(self) -> Context:
        """The keys that follow from who it is."""
        kind = "Account" if self.arn.endswith(":root") else "AssumedRole" if self.role else "User"
        keys = {"aws:principalarn": self.role or self.arn, "aws:principalaccount": self.account}
        return keys | {"aws:principaltype": kind} | ({_ORGANIZATION: ACME} if self.is_ours else {})

    def levels(self) -> list[set[str]]:
        """What names it: its account, its role, itself."""
        root = f"arn:aws:iam::{self.account}:root"
        own = [{self.role}] if self.role else []
        return [{self.account, root}, *own, *([] if self.arn == root else [{self.arn}])]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _named(element: Any) -> set[str]:
    return {"*"} if element == "*" else {one for values in element.values() for one in as_list(values)}


def _without_path(names: set[str]) -> set[str]:
    return {re.sub(r":role/.*/", ":role/", one) for one in names}


def is_about(statement: Json, who: Who, *, strictly: bool) -> set[str]:
    """The ways in which a statement names somebody: `self`, `role`, `account`, `anyone`; empty where it does not.

    `strictly`: as the one who is named would have it least: a Deny with NotPrincipal that names a role and its account
    spares no session that it does not name.
    """
    levels = who.levels()
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return {"self"}
    named = _without_path(_named(statement.get("Principal", statement.get("NotPrincipal"))))
    kinds = ["account", *(["role"] if who.role else []), "self"][: len(levels)] if len(levels) > 1 else ["self"]
    ways = {kind for kind, level in zip(kinds, levels, strict=True) if level & named}
    ways |= {"anyone"} if "*" in named else set()
    if "Principal" in statement:
        return ways
    if statement["Effect"] == "Allow":
        return set() if ways else {"anyone"}
    needed = {*kinds} - (set() if strictly or not who.role else {"self"})
    return set() if "anyone" in ways or needed <= ways else {"anyone"}


@cache
def like(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(one) or re.escape(one) for one in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


@cache
def moment(text: str) -> float | None:
    """Seconds since 1970 of a date."""
    if re.fullmatch("[0-9]{13}", text):
        return int(text) / 1000
    if re.fullmatch("[0-9]{5,12}", text):
        return int(text)
    try:
        found = datetime.fromisoformat(text) if re.match("[0-9]{4}-", text) else None
    except ValueError:
        return None
    return None if found is None else found.replace(tzinfo=found.tzinfo or UTC).timestamp()


@cache
def _holds_of(operator: str, value: str | None, given: str) -> bool | None:
    """Whether a positive operator holds of one value; None where the two cannot be compared."""
    if operator.startswith(("Date", "Numeric")):
        wanted = moment(given) if operator.startswith("Date") else float(given) if given.isdigit() else None
        have = float(str(value))
        name = operator.removeprefix("Date").removeprefix("Numeric")
        if wanted is None:
            return None
        return {
            "Equals": have == wanted,
            "LessThan": have < wanted,
            "LessThanEquals": have <= wanted,
            "GreaterThan": have > wanted,
            "GreaterThanEquals": have >= wanted,
        }[name]
    match operator:
        case "IpAddress":
            return ipaddress.ip_address(str(value)) in ipaddress.ip_network(given)
        case "StringEquals" | "ArnEquals" | "Bool":
            return value == given
        case _:
            return like(given, str(value))


@cache
def _clause(operator: str, value: str | None, given: tuple[str, ...]) -> bool:
    if operator == "Null":
        return given == (("true",) if value is None else ("false",))
    base = operator.removesuffix("IfExists")
    positive = base.replace("Not", "", 1)
    if value is None:
        return operator != base or positive != base
    held = [_holds_of(positive, value, one) for one in given]
    if positive != base:
        return None not in held and not any(held)
    return any(held)


def clauses(statement: Json) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for operator, block in statement.get("Condition", {}).items():
        for key, values in block.items():
            yield operator, key.lower(), tuple(as_list(values))


def _applies(statement: Json, context: Context) -> bool:
    return all(_clause(operator, context.get(key), values) for operator, key, values in clauses(statement))


def _is_for(statement: Json, action: str, resource: str) -> bool:
    actions = any(like(one.lower(), action.lower()) for one in as_list(statement["Action"]))
    return actions and any(like(one, resource) for one in as_list(statement.get("Resource", resource)))


class Moments(NamedTuple):
    """When to ask: each time that a document names, one second before, at and after it, and one between each two."""

    all: tuple[int, ...]

    def since(self, start: int) -> Iterator[int]:
        return (one for one in self.all if one >= start)


def moments_of(documents: Iterable[Sequence[Json]]) -> Moments:
    named = {NOW}
    for document in documents:
        for statement in document:
            for _, key, values in clauses(statement):
                if key in (*CLOCKS, ISSUED):
                    named |= {int(found) for one in values if (found := moment(one)) is not None}
                    named |= {int(one) for one in values if one.isdigit()}
    near = {one + more for one in named for more in (-1, 0, 1)}
    between = {(one + other) // 2 for one, other in pairwise(sorted(named))}
    return Moments(tuple(sorted({min(named) - DAY, max(named) + DAY, *near, *between})))


class Asked(NamedTuple):
    """A request with everything that decides it."""

    who: Who
    at: int
    context: Context


def requests(
    who: Who, times: Iterable[int], relevant: Sequence[Json], moments: Moments, *, strictly: bool, issued: int | None
) -> Iterator[Asked]:
    """Every request that somebody can make at some of the times, as far as the statements tell them apart.

    `issued`: when the session began, None where anybody may have begun it.
    """
    values: dict[str, set[str]] = {}
    for statement in relevant:
        for operator, key, given in clauses(statement):
            values.setdefault(key, set()).update(given if operator != "Null" else ())
    free = [
        [(key, one) for one in (*sorted(one.partition("/")[0] for one in values[key]), *others)]
        for key, others in _OTHERS.items()
        if key in values and not (who.is_ours and key in (_ORGANIZATION, TAG))
    ]
    is_session = {ISSUED, MFA, AGE} & {*values}
    for at, chosen, session in product(
        times, product(*free), [*_sessions(who, values, strictly=strictly)] if is_session else [{}]
    ):
        begun: Iterable[int | None] = (issued,)
        if ISSUED in session and (issued is None or not strictly):
            begun = (one for one in moments.all if not strictly or at - LONGEST <= one <= at)
        for start in begun if ISSUED in session else (None,):
            context = {key: one for key, one in (*chosen, *session.items()) if one is not None}
            context |= {ISSUED: str(start)} if start is not None else {}
            yield Asked(who, at, context | {key: str(at) for key in CLOCKS} | {**who.keys()})


_OTHERS: Mapping[str, tuple[str | None, ...]] = {
    ADDRESS: ("192.0.2.1",),
    TAG: ("other", None),
    _ORGANIZATION: ("o-another0000", None),
}
"""Values of what an outsider chooses besides those that a document names."""


def _sessions(who: Who, values: Mapping[str, set[str]], *, strictly: bool) -> Iterator[dict[str, str]]:
    """What a request says of its credentials: of a user also those of GetSessionToken.

    Of an outsider's role the audit does not know that all of its credentials are temporary.
    """
    if not who.role or not (strictly or who.is_ours):
        yield {}
    yield {ISSUED: "", MFA: "false"}
    if strictly and who.is_ours:
        return  # no session of a role that an outsider assumes has MFA
    ages = {str(int(one) + more) for one in values.get(AGE, ()) for more in (-1, 0, 1)}
    yield from ({ISSUED: "", MFA: "true", AGE: age} for age in sorted(ages) or ["0"])


def allowed(
    who: Who,
    action: str,
    resource: str,
    hung: Sequence[Json],
    own: Sequence[Json] | None,
    times: Iterable[int],
    moments: Moments,
    *,
    strictly: bool,
    issued: int | None = None,
) -> Iterator[Asked]:
    """The requests in which it is allowed; `own`: the policies of one of ours, None of an outsider, who may anything.

    `hung`: the statements that hang on the resource.
    """
    if action == ASSUME and who.arn.endswith(":root"):
        return  # no root user can
    here = [one for one in hung if _is_for(one, action, resource)]
    ways = [(one, found) for one in here if (found := is_about(one, who, strictly=strictly))]
    mine = [(one, {"identity"}) for one in own or () if _is_for(one, action, resource)]
    relevant = [*ways, *mine]
    if not any(one["Effect"] == "Allow" for one, _ in (ways if own is None else relevant)):
        return
    at_home = who.account == resource.split(":")[4] and who.is_ours
    statements = [one for one, _ in relevant]
    for asked in requests(who, times, statements, moments, strictly=strictly, issued=issued):
        held = [(one["Effect"], found) for one, found in relevant if _applies(one, asked.context)]
        if any(effect == "Deny" for effect, _ in held):
            continue
        found = set().union(*(ways for _, ways in held)) | ({"identity"} if own is None else set())
        by_resource = found - {"identity"}
        is_direct = at_home and by_resource - {"account"}
        if is_direct or (at_home and action != ASSUME and "identity" in found) or (by_resource and "identity" in found):
            yield asked


class Role(NamedTuple):
    """A role of ours: its trust policy, its own, and its longest session in seconds, None where that is unread."""

    trust: list[Json]
    own: list[Json]
    longest: int | None = None


class Estate(NamedTuple):
    """What the documents of a small estate say: the registry of HOME, a repository that the spec names and one that it
    does not, what repositories get that are created from now on, and roles by ARN."""

    registry: list[Json]
    named: list[Json]
    unnamed: list[Json]
    template: list[Json]
    roles: dict[str, Role]
    given: list[Json]
    """What the spec gives on the repository that it names."""
    also_allowed: tuple[tuple[str, str], ...] = ()
    """Accounts or ARNs, each with `pull` or `push`."""

    def documents(self) -> list[list[Json]]:
        hung = [self.registry, self.named, self.unnamed, self.template]
        return [*hung, *(document for role in self.roles.values() for document in (role.trust, role.own))]


REPOSITORY = f"arn:aws:ecr:eu-central-1:{HOME}:repository/"
NAMED, UNNAMED, CREATED, ANOTHER = "shop/x", "team/y", "new/z", "another/z"


def outsiders_of(estate: Estate) -> list[Who]:
    """Everybody whom any statement names or tells apart, and somebody else of each account, and at large."""
    names = {f"arn:aws:iam::{NOWHERE}:root"}
    for document in estate.documents():
        for statement in document:
            for element in ("Principal", "NotPrincipal"):
                names |= _named(statement[element]) if element in statement else set()
            for _, key, values in clauses(statement):
                names |= {*values} if key in _OF_WHO else set()
    found: set[Who] = set()
    for name in names:
        arn = f"arn:aws:iam::{name}:root" if re.fullmatch("[0-9]{12}", name) else name
        parts = arn.split(":", 5)
        if len(parts) < 6:
            continue
        account, resource = parts[4].replace("*", NOWHERE), parts[5].replace("*", "else")
        iam, sts = f"arn:aws:iam::{account}", f"arn:aws:sts::{account}:assumed-role"
        found |= {Who(f"{iam}:root"), Who(f"{iam}:user/else"), Who(f"{sts}/else/else")}
        kind, _, rest = resource.partition("/")
        if kind == "user":
            found.add(Who(f"{iam}:user/{rest}"))
        elif kind == "role":
            found.add(Who(f"{sts}/{rest.rpartition('/')[2]}/else"))
        elif kind == "assumed-role":
            found |= {Who(f"{sts}/{rest}"), Who(f"{sts}/{rest.partition('/')[0]}/else")}
    return sorted(who for who in found if not who.is_ours)


def _is_intended(who: Who, action: str, also_allowed: Iterable[tuple[str, str]], *, strictly: bool) -> bool:
    """Whether an access is intended that has the action; strictly, also if docker asks for it besides."""
    by = {HALVES[0]: ("pull", "push" if strictly else "pull"), HALVES[1]: ("pull",), PUSH: ("push",)}[action]
    return any(one in by and name in (who.account, who.role or who.arn) for name, one in also_allowed)


class Oracle:
    """Asks about everybody.

    `strictly`: only what is certain: the steps of a chain follow each other within the sessions that they begin. Else
    whatever can be at best: each step of a chain by itself, from the longest session before now on.
    """

    def __init__(self, estate: Estate, *, strictly: bool) -> None:
        self.estate, self.strictly = estate, strictly
        self.moments = moments_of([*estate.documents(), estate.given])
        if strictly:
            self.moments = Moments(tuple(one for one in self.moments.all if one <= _END_OF_TIME))
        self.outsiders = outsiders_of(estate)
        self._sessions = {arn: [*self._named_sessions(arn)] for arn in estate.roles}

    def _named_sessions(self, role: str) -> Iterator[Who]:
        start = f"arn:aws:sts::{role.split(':')[4]}:assumed-role/{role.rpartition('/')[2]}/"
        names = {
            one for document in self.estate.documents() for statement in document for one in _principals(statement)
        }
        yield Who(f"{start}else")
        yield from (Who(name) for name in sorted(names) if name.startswith(start))

    def directly(self, name: str, *policies: list[Json], given: Sequence[Json] = ()) -> set[tuple[str, Who]]:
        """Who may do what on a repository by these policies, but for what is given, without a role of ours."""
        hung, resource = [one for policy in policies for one in policy], f"{REPOSITORY}{name}"
        found = set()
        for action, who in product(ACTIONS, self.outsiders):
            if self._is_intended(who, action):
                continue
            times = self.moments.since(NOW)
            asked = allowed(who, action, resource, hung, None, times, self.moments, strictly=self.strictly)
            if any(not self._is_given(one, action, given) for one in asked):
                found.add((action, who))
        return found

    def _is_intended(self, who: Who, action: str) -> bool:
        return _is_intended(who, action, self.estate.also_allowed, strictly=self.strictly)

    def _is_given(self, asked: Asked, action: str, given: Sequence[Json]) -> bool:
        return any(
            _is_for(one, action, "") and is_about(one, asked.who, strictly=False) and _applies(one, asked.context)
            for one in given
        )

    def through_roles(self, name: str, *policies: list[Json]) -> set[tuple[str, Who]]:
        """Who may do what on a repository as one of our roles."""
        hung, resource = [one for policy in policies for one in policy], f"{REPOSITORY}{name}"
        found = set()
        for who in self.outsiders:
            for role, begun in self._reached(who).items():
                for action, session in product(ACTIONS, self._sessions[role]):
                    if not self._is_intended(who, action) and self._can(session, action, resource, hung, begun):
                        found.add((action, who))
        return found

    def _can(self, session: Who, action: str, resource: str, hung: list[Json], begun: "_Begun") -> bool:
        return any(self._times(session, action, resource, hung, begun, NOW))

    def _times(
        self, session: Who, action: str, resource: str, hung: list[Json], begun: "_Begun", since: int
    ) -> Iterator[int]:
        """When a session of a role may do it."""
        own = self._role_of(session).own
        if not self.strictly:
            times = self.moments.since(since)
            yield from (
                one.at for one in allowed(session, action, resource, hung, own, times, self.moments, strictly=False)
            )
            return
        for start, longest in sorted(begun):
            times = (one for one in self.moments.since(max(since, start)) if one < start + longest)
            asked = allowed(session, action, resource, hung, own, times, self.moments, strictly=True, issued=start)
            yield from (one.at for one in asked)

    def _role_of(self, session: Who) -> Role:
        return next(role for arn, role in self.estate.roles.items() if _without_path({arn}) == {session.role})

    def _reached(self, who: Who) -> dict[str, "_Begun"]:
        """The roles that somebody can get into, and when sessions of them can begin, each with how long it lasts."""
        reached: dict[str, set[tuple[int, int]]] = {}
        for arn, role in self.estate.roles.items():
            longest = role.longest or LONGEST
            times = self.moments.since(self._since(longest))
            asked = allowed(who, ASSUME, arn, role.trust, None, times, self.moments, strictly=self.strictly)
            if begun := {(one.at, longest) for one in asked}:
                reached[arn] = begun
        while True:
            more = {arn: begun - reached.get(arn, set()) for arn, begun in self._further(reached).items()}
            more = {arn: begun for arn, begun in more.items() if begun}
            if not more:
                return reached
            for arn, begun in more.items():
                reached.setdefault(arn, set()).update(begun)

    def _since(self, longest: int) -> int:
        """When sessions may have begun that are not over."""
        return NOW - (longest - 1 if self.strictly else LONGEST)

    def _further(self, reached: Mapping[str, "_Begun"]) -> dict[str, set[tuple[int, int]]]:
        found: dict[str, set[tuple[int, int]]] = {}
        for (by, begun), (arn, role) in product([*reached.items()], self.estate.roles.items()):
            if by == arn:
                continue
            # A session that a role begins lasts an hour at most.
            longest = min(role.longest or LONGEST, 3600)
            since = self._since(longest)
            for session in self._sessions[by]:
                times = self._times(session, ASSUME, arn, role.trust, begun, since)
                found.setdefault(arn, set()).update((at, longest) for at in times)
        return found


type _Begun = set[tuple[int, int]]
"""When sessions may begin, and how many seconds each may last."""


def _principals(statement: Json) -> set[str]:
    return {
        name for element in ("Principal", "NotPrincipal") if element in statement for name in _named(statement[element])
    }

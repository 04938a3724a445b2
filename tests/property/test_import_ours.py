"""Once an imported spec is enforced, ours have the access that they had, and nobody else has any.

Judged by trying requests of ours and of others on the documents before and after, without a line of the engine.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden_cli.importing.importing import Imported
from ecr_warden_cli.importing.notes import NoteKind
from iam_access.who_can.ours import Ours
from tests import examples
from tests.property.iam_oracle import account_of, verdict
from tests.unit.importing.imports import enforced, imported

type Json = dict[str, Any]

CI, HOME, MATE, OTHER = "111111111111", "222222222222", "333333333333", "999999999999"
"""Two accounts that are read, another one of their organization, and an outsider's."""
OUR_ORG, OTHER_ORG = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
ORGANIZATIONS = {CI: OUR_ORG, HOME: OUR_ORG, MATE: OUR_ORG, OTHER: OTHER_ORG}
REPOSITORY, ROLE = f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/a", f"arn:aws:iam::{HOME}:role/deploy"
SHOP = f"repository/{HOME}/eu-central-1/shop/a"
LAMBDA = "lambda.amazonaws.com"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def _document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [*statements]}


EVERYTHING = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})
OWN = _document({"Effect": "Allow", "Action": [*PULL, "ecr:GetAuthorizationToken", "sts:AssumeRole"], "Resource": "*"})
PUSH = _document({"Effect": "Allow", "Action": [*PULL, "ecr:PutImage"], "Resource": "*"})


# Who asks for what


class Asker(NamedTuple):
    """Somebody, of which account, with which keys; `policies`: all, those of the estate ("own"), or none."""

    who: str
    account: str
    policies: str
    keys: Json


def _asker(who: str, user_id: str, policies: str = "all") -> Asker:
    account = account_of(who)
    organization = ORGANIZATIONS[account]
    paths = {"aws:PrincipalOrgID": organization, "aws:PrincipalOrgPaths": f"{organization}/r-1/ou-1/"}
    return Asker(who, account, policies, {"aws:userid": user_id} | paths)


ASKERS = (
    *(_asker(f"arn:aws:iam::{CI}:user/anna", "AIDAANNA", policies) for policies in ("all", "own")),
    _asker(f"arn:aws:sts::{CI}:assumed-role/build/job", "AROABUILD:job"),
    _asker(f"arn:aws:iam::{CI}:root", CI),
    *(_asker(f"arn:aws:iam::{HOME}:user/bob", "AIDABOB", policies) for policies in ("all", "own", "none")),
    _asker(f"arn:aws:sts::{HOME}:assumed-role/build/job", "AROAHERE:job", "none"),
    _asker(f"arn:aws:sts::{MATE}:assumed-role/build/job", "AROAMATE:job"),
    # Called as ours are.
    _asker(f"arn:aws:iam::{OTHER}:user/anna", "AIDAEVE"),
    _asker(f"arn:aws:sts::{OTHER}:assumed-role/build/{CI}", f"AROAEVE:{CI}"),
    Asker("*", "", "none", {}),
    *(
        Asker(LAMBDA, one, "none", {"aws:SourceAccount": one, "aws:SourceArn": f"arn:aws:lambda:*:{one}:function:x"})
        for one in (CI, HOME, OTHER)
    ),
)
CIRCUMSTANCES = tuple(
    {"aws:SecureTransport": tls, "aws:SourceIp": address, "aws:PrincipalTag/team": team}
    for tls, address, team in (
        *(("true", "10.0.0.1", "shop"), ("false", "10.0.0.1", "shop")),
        *(("true", "198.51.100.7", "shop"), ("true", "10.0.0.1", CI)),
    )
)


def may(snapshot: Json) -> Iterator[tuple[str, int]]:
    """(what, by the place of the asker) for all that is allowed in an estate; slow and plain."""
    home = snapshot["accounts"][HOME]
    [repository] = home["ecr"]["eu-central-1"]["repositories"]
    trust = next(one for one in home["iam"]["RoleDetailList"] if one["Arn"] == ROLE)["AssumeRolePolicyDocument"]
    for place, asker in enumerate(ASKERS):
        held = _own(snapshot, asker) if asker.policies == "own" else [EVERYTHING] if asker.policies == "all" else []
        for number, around in enumerate(CIRCUMSTANCES):
            request = {"principal": asker.who, "context": asker.keys | around}
            for action in ("ecr:BatchGetImage", "ecr:PutImage"):
                asked = request | {"action": action, "resource": REPOSITORY}
                if verdict(asked, {"identity": held, "resource": repository["policy"]}) == "Allowed":
                    yield f"{action} {number}", place
            asked = request | {"action": "sts:AssumeRole", "resource": ROLE}
            # A service takes roles of its own account alone.
            if asker.who != LAMBDA and verdict(asked, {"identity": held, "trust": trust}) == "Allowed":
                yield f"sts:AssumeRole {number}", place


def _own(snapshot: Json, asker: Asker) -> list[Json]:
    users = (user for account in snapshot["accounts"].values() for user in account["iam"]["UserDetailList"])
    return [one["PolicyDocument"] for user in users if user["Arn"] == asker.who for one in user["UserPolicyList"]]


# What is drawn

_ROOTS = [f"arn:aws:iam::{account}:root" for account in (CI, OTHER, HOME)]
PRINCIPALS: tuple[Any, ...] = (
    *("*", "*", "*", {"AWS": "*"}, {"AWS": ["*", CI]}, {"AWS": ["*", OTHER]}),
    *({"AWS": _ROOTS}, {"AWS": _ROOTS[:2]}, {"AWS": CI}, {"AWS": OTHER}),
    {"AWS": [f"arn:aws:iam::{CI}:user/anna", f"arn:aws:iam::{OTHER}:user/anna", f"arn:aws:iam::{HOME}:user/bob"]},
    {"AWS": [f"arn:aws:iam::{CI}:role/build", "AROAQHBJ5XEXAMPLE00001"]},
    {"AWS": CI, "Service": LAMBDA},
)
_TEXT = ("StringEquals", "StringLike")
_LOOSE = ("StringEqualsIfExists", "StringLikeIfExists")
_ARN = ("ArnLike", "ArnEquals", "StringLike", "ArnLikeIfExists")
_PATH = ("ForAnyValue:StringLike", "ForAllValues:StringLike", "StringLike")
CALLERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "aws:PrincipalAccount": ((*_TEXT, *_LOOSE), (CI, HOME, OTHER, OTHER, MATE, "1*", "${aws:PrincipalTag/team}")),
    "aws:PrincipalArn": (
        _ARN,
        (
            *(f"arn:aws:iam::{CI}:user/anna", f"arn:aws:iam::{CI}:role/*", f"arn:aws:iam::{HOME}:*"),
            *(f"arn:aws:iam::{OTHER}:user/anna", f"arn:aws:iam::{OTHER}:*", "arn:aws:iam::*:role/build"),
        ),
    ),
    "aws:PrincipalOrgID": ((*_TEXT, *_LOOSE), (OUR_ORG, OTHER_ORG, "o-*")),
    "aws:PrincipalOrgPaths": (_PATH, (f"{OUR_ORG}/*", f"{OTHER_ORG}/r-1/*", "*")),
    "aws:userid": (_TEXT, ("AIDAANNA", "AROABUILD:*", "AROAEVE:*", "AIDAEVE", "AIDABOB")),
    "aws:username": ((*_TEXT, "StringEqualsIgnoreCase"), ("anna", "bob", "a*")),
    "aws:PrincipalTag/team": (_TEXT, ("shop", CI)),
    "aws:SourceIp": (("IpAddress", "NotIpAddress"), ("10.0.0.0/8", "198.51.100.0/24")),
    "aws:SourceAccount": (("StringEquals", "StringEqualsIfExists"), (HOME, CI, OTHER)),
}
TLS = ("Bool", "aws:SecureTransport", ["true"])


def _clauses(*keys: str) -> st.SearchStrategy[tuple[str, str, list[str]]]:
    return st.sampled_from(keys or tuple(CALLERS)).flatmap(
        lambda key: st.tuples(
            st.sampled_from(CALLERS[key][0]),
            st.just(key),
            st.lists(st.sampled_from(CALLERS[key][1]), min_size=1, max_size=3, unique=True),
        )
    )


def _conditions(clauses: Iterable[tuple[str, str, list[str]]]) -> Json:
    made: Json = {}
    for operator, key, values in clauses:
        made.setdefault(operator, {})[key] = values
    return {"Condition": made} if made else {}


@st.composite
def _allows(draw: st.DrawFn, actions: list[list[str]]) -> Json:
    clauses = draw(st.lists(_clauses(), max_size=3)) + draw(st.sampled_from(([], [TLS])))
    element = draw(st.sampled_from(["Principal"] * 7 + ["NotPrincipal"]))
    named = draw(st.sampled_from(PRINCIPALS[element == "NotPrincipal" and 6 :]))
    return {"Effect": "Allow", element: named, "Action": draw(st.sampled_from(actions))} | _conditions(clauses)


_WHO = ("aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths")


@st.composite
def _denies(draw: st.DrawFn, actions: list[list[str]]) -> Json:
    """A Deny for all but those whom it names, or for whoever comes without TLS."""
    made: Json = {"Effect": "Deny", "Principal": "*", "Action": draw(st.sampled_from(actions))}
    match draw(st.sampled_from(("negated", "negated", "negated", "NotPrincipal", "plain", "TLS"))):
        case "NotPrincipal":
            del made["Principal"]
            return made | {"NotPrincipal": draw(st.sampled_from(PRINCIPALS[6:]))}
        case "TLS":
            return made | _conditions([("Bool", "aws:SecureTransport", ["false"])])
        case "plain":
            return made | _conditions([draw(_clauses(*_WHO))])
        case _:
            operator, key, values = draw(_clauses(*_WHO))
            for positive in ("Like", "Equals"):
                operator = operator.replace(f"String{positive}", f"StringNot{positive}")
                operator = operator.replace(f"Arn{positive}", f"ArnNot{positive}")
            return made | _conditions([(operator, key, values), *draw(st.sampled_from(([], [], [TLS])))])


def _policies(*actions: list[str]) -> st.SearchStrategy[Json]:
    allows, denies = _allows([*actions]), _denies([*actions])
    several = st.tuples(st.lists(allows, min_size=1, max_size=3), st.lists(denies, max_size=2))
    return several.map(lambda both: _document(*both[0], *both[1]))


REPOSITORIES = _policies(PULL, PULL, ["ecr:*"], ["ecr:BatchGetImage", "ecr:PutImage"])
TRUSTS = _policies(["sts:AssumeRole"], ["sts:*"])
WHOSE = st.sampled_from((Ours(), Ours(organizations=frozenset({OUR_ORG}))))


def _person(kind: str, arn: str, policy: Json, **more: Json) -> Json:
    own = [{"PolicyName": "own", "PolicyDocument": policy}]
    named = {"Arn": arn, f"{kind}Id": f"AIDA{arn[-4:].upper()}", f"{kind}PolicyList": own}
    return named | {"AttachedManagedPolicies": []} | more


def snapshot_of(policy: Json, trust: Json) -> Json:
    """An estate with a user in each of two accounts, and a repository and a role with these documents."""
    empty: Json = {"GroupDetailList": [], "Policies": [], "RoleDetailList": []}
    role = _person("Role", ROLE, PUSH, AssumeRolePolicyDocument=trust)
    users = {CI: f"arn:aws:iam::{CI}:user/anna", HOME: f"arn:aws:iam::{HOME}:user/bob"}
    iam = {account: empty | {"UserDetailList": [_person("User", arn, OWN)]} for account, arn in users.items()}
    registry = {"eu-central-1": {"repositories": [{"repositoryName": "shop/a", "policy": policy}]}}
    home = {"iam": iam[HOME] | {"RoleDetailList": [role]}, "ecr": registry}
    return {"schema": 1, "accounts": {CI: {"iam": iam[CI]}, HOME: home}}


# What holds


def _is_ours(asker: Asker, ours: Ours) -> bool:
    return asker.account in (CI, HOME) or (asker.account == MATE and OUR_ORG in ours.organizations)


def _left_out(made: Imported, what: str) -> bool:
    """Whether the spec writes nothing of it, and a comment says so."""
    key = f"role/{HOME}/deploy" if what.startswith("sts:") else SHOP
    if key in made.loaded.compiled.targets:
        return False
    assert any(note.kind in (NoteKind.OUTSIDER, NoteKind.REFUSED) for note in made.notes[key])
    return True


def _is_said(asker: Asker, made: Imported) -> bool:
    """Whether a comment names whom the spec leaves out, though they may be ours.

    That are an account that was not read, services by a principal or by `*`, and whoever gets in as one of all but a
    few.
    """
    names = {MATE: {f"account {MATE}"}}.get(asker.account, set[str]())
    if asker.who == LAMBDA:
        names = {"anybody", f"anybody through {LAMBDA}"}
    return bool(names & {*made.outsiders}) or any("Allow with NotPrincipal" in note.what for note in made.notes[SHOP])


@examples.of(300, 1000)
@given(REPOSITORIES, TRUSTS, WHOSE)
def test_ours_have_what_they_had_and_nobody_else_has_anything(policy: Json, trust: Json, ours: Ours) -> None:
    snapshot = snapshot_of(policy, trust)
    made = imported(snapshot, ours=ours)
    before, after = set(may(snapshot)), set(may(enforced(snapshot, made.loaded.compiled)))
    assert not after - before
    for what, place in sorted(before):
        asker = ASKERS[place]
        if not _left_out(made, what) and not _is_said(asker, made):
            assert ((what, place) in after) is _is_ours(asker, ours), (what, asker, made.text)


@pytest.mark.thorough
def test_whoever_stays_and_goes_and_what_is_left_out_are_all_drawn() -> None:
    def kinds(policy: Json, trust: Json, ours: Ours) -> Iterable[str]:
        snapshot = snapshot_of(policy, trust)
        made = imported(snapshot, ours=ours)
        before = list(may(snapshot))
        pulls = {_is_ours(ASKERS[place], ours) for what, place in before if what.startswith("ecr:")}
        takes = {_is_ours(ASKERS[place], ours) for what, place in before if what.startswith("sts:")}
        return examples.true(
            apart=pulls == {True, False},
            ours_alone=pulls == {True},
            narrowed='"aws:PrincipalAccount": ["111111111111", "222222222222"]' in made.text,
            role_apart=takes == {True, False},
            role=takes == {True},
            left_out=_left_out(made, "ecr:"),
            grants=any(entry.pull for entry in made.loaded.spec.repositories),
        )

    seen = examples.seen(200, REPOSITORIES, TRUSTS, WHOSE, by=kinds)
    assert len(seen) == 7 and min(seen.values()) >= 5, seen

"""Which versions of the spec wait for a person, and why: the limits are always the accepted version's."""

import json
from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ecr_warden.model.access_change import AccessChange, AccessChanges, Direction
from ecr_warden.model.desired import CompiledSpec, Removal
from ecr_warden.planning.acceptance import (
    Beginning,
    ReasonKind,
    effects,
    reasons_to_hold,
    removals_after,
    words_of,
)
from ecr_warden.proof.changes import access_changes
from ecr_warden.spec import Valid, load_spec

from local.testing.seed import CI, HOME, NOW, OUTSIDER

type Yaml = dict[str, Any]

R = ReasonKind
HOUR = timedelta(hours=1)
USERS = [f"ci:user/u{number}" for number in range(12)]


def spec(
    *, pull: Sequence[Any] = USERS, settings: Yaml | None = None, version: str = "v1", **more: Any
) -> CompiledSpec:
    """A repository from which `pull` may pull, enforced."""
    tree: Yaml = {
        "version": 1,
        "accounts": {"ci": {"id": CI}, "registry": {"id": HOME, "regions": ["eu-central-1"]}},
        "repositories": [{"name": "shop/checkout", "account": "registry", "pull": [*pull]}],
        "settings": {"mode": "enforce", **(settings or {})},
    }
    loaded = load_spec(json.dumps(tree | more).encode(), version=version)
    assert isinstance(loaded, Valid), loaded
    return loaded.compiled


def judged(
    accepted: CompiledSpec | None,
    new: CompiledSpec,
    *,
    beginning: Beginning | None = None,
    now: datetime = NOW,
    changes: AccessChanges | None = None,
) -> list[ReasonKind]:
    """The kinds of the reasons, each in words that name something."""
    found = reasons_to_hold(
        accepted,
        new,
        access_changes(accepted, new) if changes is None else changes,
        beginning=beginning or Beginning(),
        grants=lambda: len(access_changes(None, accepted).changes) if accepted else 0,
        now=now,
    )
    assert all(reason.text for reason in found)
    return [reason.kind for reason in found]


def trust(principal: Yaml, condition: Yaml | None = None) -> Yaml:
    """A literal trust policy."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}
    return {"kind": "trust-policy", "account": "registry", "role": "ops", "document": document}


SCANNER = "arn:aws:iam::999999999999:role/scan"


def unreported(*principals: str, settings: Yaml | None = None, reason: str = "scans", **more: Any) -> CompiledSpec:
    """The repository, and access of principals that is intended."""
    return spec(settings=settings, also_allowed=[{"principals": [*principals], "reason": reason, **more}])


def subject(*values: str) -> Yaml:
    """A condition on the subject of GitHub's tokens."""
    return {"StringLike": {"token.actions.githubusercontent.com:sub": [*values]}}


def policy(*statements: Yaml, repository: str = "shop/other") -> Yaml:
    """A literal repository policy."""
    document = {"Version": "2012-10-17", "Statement": [*statements]}
    return {"kind": "repository-policy", "account": "registry", "repository": repository, "document": document}


def identity_policy(*, exclusive: bool) -> Yaml:
    """A literal policy of a user."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    where = {"kind": "identity-policy", "account": "ci", "user": "u0", "name": "logs"}
    return where | {"document": document, "exclusive": exclusive}


def lets(principal: Any, **more: Any) -> Yaml:
    return {"Effect": "Allow", "Principal": principal, "Action": "ecr:BatchGetImage", **more}


def of_organization(name: str) -> Yaml:
    return {"Condition": {"StringEquals": {"aws:PrincipalOrgID": name}}}


def through(key: str, *values: str, operator: str = "StringLike") -> Yaml:
    """Lambda may pull for a source."""
    return lets({"Service": "lambda.amazonaws.com"}, Condition={operator: {key: [*values]}})


FUNCTIONS_HERE, FUNCTIONS_ELSEWHERE = (f"arn:aws:lambda:eu-central-1:{one}:function:*" for one in (HOME, OUTSIDER))
EVERYBODY, SOMEBODY = "*", {"AWS": f"arn:aws:iam::{OUTSIDER}:root"}
THERE = {"Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}}
ACME, OTHER = of_organization("o-acme000000"), of_organization("o-other00000")
FEDERATED = {"Federated": f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"}
OTHER_PROVIDER = {"Federated": f"arn:aws:iam::{HOME}:saml-provider/corp"}
ANY_ORGANIZATION = {"Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}
NOT_ACME = {"StringNotEquals": {"aws:PrincipalOrgID": "o-acme000000"}}
DENY = lets(EVERYBODY, Effect="Deny", Condition=NOT_ACME)
ONE = spec()
FREE = {"widening": "free"}
APPROVE = {"widening": "approve"}
EMPTY = spec(repositories=[], version="v2")
REGISTRY_ALONE = {"registry": {"id": HOME, "regions": ["eu-central-1"]}}
MORE_ACCOUNTS = {"ci": {"id": CI}, "new": {"id": OUTSIDER}, **REGISTRY_ALONE}


def repositories(names: int, users: Sequence[str] = ("ci:user/u0",)) -> list[Yaml]:
    pulling = {"account": "registry", "pull": [*users], "pull_scope": "account"}
    return [{"name": f"shop/r{number}"} | pulling for number in range(names)]


def fitting(*but: str, name: str = "shop/*", **more: Any) -> list[Yaml]:
    """A pattern from which one user may pull."""
    excepted = {"except": [*but]} if but else {}
    return [{"name": name, "account": "registry", "pull": ["ci:user/u0"]} | excepted | more]


# name: accepted, new, why it waits
CASES: dict[str, tuple[CompiledSpec, CompiledSpec, list[ReasonKind]]] = {
    "the same": (ONE, spec(version="v2"), []),
    "one user less": (ONE, spec(pull=USERS[1:]), []),
    "five users less, which is the least limit": (ONE, spec(pull=USERS[5:]), []),
    "six of twelve less": (ONE, spec(pull=USERS[6:]), [R.REMOVALS]),
    "a user more": (ONE, spec(pull=[*USERS, "ci:user/new"]), []),
    "a push role more": (
        ONE,
        spec(
            repositories=[
                {
                    "name": "shop/checkout",
                    "account": "registry",
                    "pull": USERS,
                    "push": [{"role": "pusher", "by": ["ci:user/u1"]}],
                }
            ]
        ),
        [],
    ),
    "20 % of forty": (
        spec(repositories=repositories(40)),
        spec(repositories=repositories(32)),
        [],
    ),
    "more than 20 % of forty": (
        spec(repositories=repositories(40)),
        spec(repositories=repositories(31)),
        [R.REMOVALS],
    ),
    "nothing at all any more": (ONE, EMPTY, [R.EMPTY, R.REMOVALS]),
    "an empty one after an empty one": (replace(EMPTY, version="v1"), EMPTY, []),
    "an account less": (
        spec(pull=USERS[:2]),
        spec(pull=[], accounts=REGISTRY_ALONE),
        [R.ACCOUNT],
    ),
    "more removed than the accepted limit": (
        spec(settings={"max_removed": 1}),
        spec(pull=USERS[2:], settings={"max_removed": 1}),
        [R.REMOVALS],
    ),
    "as many as the accepted limit": (
        spec(settings={"max_removed": 1}),
        spec(pull=USERS[1:], settings={"max_removed": 1}),
        [],
    ),
    "any at a limit of zero": (
        spec(settings={"max_removed": 0}),
        spec(pull=USERS[1:], settings={"max_removed": 0}),
        [R.REMOVALS],
    ),
    "the new version's own limit does not count": (
        spec(settings={"max_removed": 1}),
        spec(pull=USERS[2:], settings={"max_removed": 100}),
        [R.LIMITS, R.REMOVALS],
    ),
    "twenty new documents, which is the least limit": (
        ONE,
        spec(repositories=[*repositories(19), {"name": "shop/checkout", "account": "registry", "pull": USERS}]),
        [],
    ),
    "everybody": (ONE, spec(documents=[policy(lets(EVERYBODY, **THERE))]), [R.OUTSIDERS]),
    "everybody whose access is reported no more": (ONE, unreported("*"), [R.OUTSIDERS]),
    "a role of an outsider whose access is reported no more": (ONE, unreported(SCANNER), [R.OUTSIDERS]),
    "a role of that name in any account": (ONE, unreported("arn:aws:iam::*:role/scan"), [R.OUTSIDERS]),
    "an outsider's account by its number": (ONE, unreported(OUTSIDER), [R.OUTSIDERS]),
    "roles of an account of the spec, and a service": (ONE, unreported("ci:role/x-*", "inspector2.amazonaws.com"), []),
    "the same outsider for less": (unreported(SCANNER), unreported(SCANNER, access=["pull"]), []),
    "the same outsider for another reason": (unreported(SCANNER), unreported(SCANNER, reason="other"), []),
    "the same outsider for more": (
        unreported(SCANNER, access=["pull"], account="registry", repositories=["shop/a"]),
        unreported(SCANNER, access=["pull"], account="registry", repositories=["shop/a", "shop/b"]),
        [R.OUTSIDERS],
    ),
    "the same outsider for anything": (unreported(SCANNER, access=["pull"]), unreported(SCANNER), [R.OUTSIDERS]),
    "an outsider reported no more where outsiders are free to enter": (
        spec(settings={"widening": "free"}),
        unreported("*", settings={"widening": "free"}),
        [],
    ),
    "everybody on one condition": (
        ONE,
        spec(documents=[policy(lets(EVERYBODY, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}))]),
        [R.OUTSIDERS],
    ),
    "a foreign account": (ONE, spec(documents=[policy(lets(SOMEBODY))]), [R.OUTSIDERS]),
    "a foreign user": (
        ONE,
        spec(documents=[policy(lets({"AWS": f"arn:aws:iam::{OUTSIDER}:user/eve"}))]),
        [R.OUTSIDERS],
    ),
    "a foreign account by its number": (ONE, spec(documents=[policy(lets({"AWS": OUTSIDER}))]), [R.OUTSIDERS]),
    "a foreign account in a trust policy": (ONE, spec(documents=[trust(SOMEBODY)]), [R.OUTSIDERS]),
    "a foreign account that was let in before, elsewhere": (
        spec(documents=[policy(lets(SOMEBODY))]),
        spec(documents=[policy(lets(SOMEBODY)), policy(lets(SOMEBODY), repository="shop/more")]),
        [R.OUTSIDERS],
    ),
    "a foreign account that goes": (spec(documents=[policy(lets(SOMEBODY))]), ONE, []),
    "an account that the new version itself adds": (
        ONE,
        spec(accounts=MORE_ACCOUNTS, pull=[*USERS, "new:user/eve"]),
        [R.OUTSIDERS],
    ),
    "an account that is added, and that the next version may let in": (
        ONE,
        spec(accounts=MORE_ACCOUNTS),
        [R.OUTSIDERS],
    ),
    "an account that is added where widening is free": (
        spec(settings=FREE),
        spec(settings=FREE, accounts=MORE_ACCOUNTS),
        [],
    ),
    "a service for functions of an account": (
        ONE,
        spec(documents=[policy(through("aws:SourceArn", FUNCTIONS_HERE))]),
        [],
    ),
    "a service for functions of a foreign account": (
        ONE,
        spec(documents=[policy(through("aws:SourceArn", FUNCTIONS_ELSEWHERE))]),
        [R.OUTSIDERS],
    ),
    "a service for functions of many accounts": (
        ONE,
        spec(documents=[policy(through("aws:SourceArn", "arn:aws:lambda:eu-central-1:99*:function:f"))]),
        [R.OUTSIDERS],
    ),
    "a service for functions of a foreign account besides others": (
        spec(documents=[policy(through("aws:SourceArn", FUNCTIONS_HERE))]),
        spec(documents=[policy(through("aws:SourceArn", FUNCTIONS_HERE, FUNCTIONS_ELSEWHERE))]),
        [R.OUTSIDERS],
    ),
    "a service for a foreign account": (
        ONE,
        spec(documents=[policy(through("aws:SourceAccount", OUTSIDER))]),
        [R.OUTSIDERS],
    ),
    "a service that assumes a role for whoever is not of an account": (
        ONE,
        spec(documents=[trust({"Service": "lambda.amazonaws.com"}, {"StringNotEquals": {"aws:SourceAccount": CI}})]),
        [R.OUTSIDERS],
    ),
    "a service for an organization": (
        ONE,
        spec(documents=[policy(through("aws:SourceOrgID", "o-acme000000"))]),
        [R.OUTSIDERS],
    ),
    "a service that assumes a role": (ONE, spec(documents=[trust({"Service": "ec2.amazonaws.com"})]), []),
    "a whole account that is named": (ONE, spec(pull=[*USERS, {"account": "ci"}]), []),
    "a service": (
        ONE,
        spec(pull=[*USERS, {"service": "codebuild.amazonaws.com", "source": "ci"}]),
        [],
    ),
    "an organization": (ONE, spec(documents=[policy(lets(EVERYBODY, **ACME))]), [R.OUTSIDERS]),
    "an organization as a grant": (
        ONE,
        spec(pull=[*USERS, {"organization": "acme"}], organizations={"acme": {"id": "o-acme000000"}}),
        [R.OUTSIDERS],
    ),
    "an organization that is named elsewhere": (
        spec(documents=[policy(lets(EVERYBODY, **ACME))]),
        spec(documents=[policy(lets(EVERYBODY, **ACME)), policy(lets(EVERYBODY, **ACME), repository="shop/more")]),
        [],
    ),
    "another organization": (
        spec(documents=[policy(lets(EVERYBODY, **ACME))]),
        spec(documents=[policy(lets(EVERYBODY, **ACME), lets(EVERYBODY, **OTHER))]),
        [R.OUTSIDERS],
    ),
    "an organization's condition that goes": (
        spec(documents=[policy(lets(EVERYBODY, **ACME))]),
        spec(documents=[policy(lets(EVERYBODY, **THERE))]),
        [R.OUTSIDERS],
    ),
    "a pattern of organizations is everybody": (
        spec(documents=[policy(lets(EVERYBODY, **ACME))]),
        spec(
            documents=[policy(lets(EVERYBODY, Condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}}))],
        ),
        [R.OUTSIDERS],
    ),
    "a pattern of organizations that is named elsewhere is everybody all the same": (
        spec(documents=[policy(lets(EVERYBODY, **ANY_ORGANIZATION))]),
        spec(
            documents=[
                policy(lets(EVERYBODY, **ANY_ORGANIZATION)),
                policy(lets(EVERYBODY, **ANY_ORGANIZATION), repository="shop/more"),
            ]
        ),
        [R.OUTSIDERS],
    ),
    "whoever is not of an organization": (
        spec(documents=[policy(lets(EVERYBODY, **ACME))]),
        spec(
            documents=[policy(lets(EVERYBODY, Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-acme000000"}}))]
        ),
        [R.OUTSIDERS],
    ),
    "an identity provider": (ONE, spec(documents=[trust(FEDERATED)]), [R.OUTSIDERS]),
    "another identity provider": (
        spec(documents=[trust(FEDERATED)]),
        spec(documents=[trust(OTHER_PROVIDER)]),
        [R.OUTSIDERS],
    ),
    "everybody of an identity provider that is named": (
        spec(documents=[trust(FEDERATED, subject("repo:a/b"))]),
        spec(documents=[trust(FEDERATED)]),
        [R.OUTSIDERS],
    ),
    "another repository of the same owner": (
        spec(documents=[trust(FEDERATED, subject("repo:a/b"))]),
        spec(documents=[trust(FEDERATED, subject("repo:a/b", "repo:a/*"))]),
        [],
    ),
    "the same owner with IDs": (
        spec(documents=[trust(FEDERATED, subject("repo:a/b:ref:refs/heads/main"))]),
        spec(documents=[trust(FEDERATED, subject("repo:a@1/b@2:ref:refs/heads/main"))]),
        [],
    ),
    "another owner at the same identity provider": (
        spec(documents=[trust(FEDERATED, subject("repo:a/b"))]),
        spec(documents=[trust(FEDERATED, subject("repo:a/b", "repo:evil/b"))]),
        [R.OUTSIDERS],
    ),
    "an owner whose name begins like another's": (
        spec(documents=[trust(FEDERATED, subject("repo:a/b"))]),
        spec(documents=[trust(FEDERATED, subject("repo:a*/b"))]),
        [R.OUTSIDERS],
    ),
    "every subject of an identity provider that is named": (
        spec(documents=[trust(FEDERATED, subject("repo:a/b"))]),
        spec(documents=[trust(FEDERATED, subject("*"))]),
        [R.OUTSIDERS],
    ),
    "more people of a SAML provider that is named": (
        spec(documents=[trust(OTHER_PROVIDER, {"StringEquals": {"SAML:sub": "anna"}})]),
        spec(documents=[trust(OTHER_PROVIDER)]),
        [],
    ),
    "a Deny that keeps outsiders out goes": (
        spec(documents=[policy(lets(EVERYBODY, **THERE), DENY)]),
        spec(documents=[policy(lets(EVERYBODY, **THERE))]),
        [R.OUTSIDERS],
    ),
    "a Deny goes where there are no outsiders": (
        spec(documents=[policy(lets({"AWS": f"arn:aws:iam::{CI}:root"}), lets({"AWS": CI}, Effect="Deny"))]),
        spec(documents=[policy(lets({"AWS": f"arn:aws:iam::{CI}:root"}))]),
        [],
    ),
    "outsiders where widening is free": (
        spec(settings=FREE),
        spec(settings=FREE, documents=[policy(lets(EVERYBODY, **THERE))]),
        [],
    ),
    "outsiders where only the new version says that widening is free": (
        ONE,
        spec(settings=FREE, documents=[policy(lets(EVERYBODY, **THERE))]),
        [R.LIMITS, R.OUTSIDERS],
    ),
    "a user more where widening is approve": (
        spec(settings=APPROVE),
        spec(settings=APPROVE, pull=[*USERS, "ci:user/new"]),
        [R.GAINS],
    ),
    "a user less where widening is approve": (spec(settings=APPROVE), spec(settings=APPROVE, pull=USERS[1:]), []),
    "outsiders where widening is approve": (
        spec(settings=APPROVE),
        spec(settings=APPROVE, documents=[policy(lets(EVERYBODY, **THERE))]),
        [R.OUTSIDERS],
    ),
    "enforce to observe": (ONE, spec(settings={"mode": "observe"}), [R.OBSERVES]),
    "a pattern that covers less": (
        spec(repositories=fitting()),
        spec(repositories=fitting("shop/secret*")),
        [R.OBSERVES],
    ),
    "a pattern that covers everything but one repository, which is named": (
        spec(repositories=fitting()),
        spec(repositories=[*fitting("shop/checkout"), *fitting(name="shop/checkout")]),
        [],
    ),
    "a pattern that goes": (
        spec(repositories=[*fitting("shop/checkout"), *fitting(name="shop/checkout")]),
        spec(repositories=fitting(name="shop/checkout")),
        [R.OBSERVES],
    ),
    "a pattern within another one that goes": (
        spec(repositories=[*fitting("shop/a*"), *fitting(name="shop/a*")]),
        spec(repositories=fitting()),
        [],
    ),
    "an identity that may have other policies": (
        spec(documents=[identity_policy(exclusive=True)]),
        spec(documents=[identity_policy(exclusive=False)]),
        [R.OBSERVES],
    ),
    "an identity that may not have other policies any more": (
        spec(documents=[identity_policy(exclusive=False)]),
        spec(documents=[identity_policy(exclusive=True)]),
        [],
    ),
    "a pattern that is only observed and goes": (
        spec(repositories=[*fitting("shop/checkout", mode="observe"), *fitting(name="shop/checkout")]),
        spec(repositories=fitting(name="shop/checkout")),
        [],
    ),
    "observe to observe, whatever it removes": (
        spec(settings={"mode": "observe"}),
        spec(settings={"mode": "observe"}, pull=[]),
        [],
    ),
    "observe to observe, whoever is let in": (
        spec(settings={"mode": "observe"}),
        spec(settings={"mode": "observe"}, documents=[policy(lets(EVERYBODY, **THERE))]),
        [],
    ),
    "observe to observe, and looser": (
        spec(settings={"mode": "observe", "widening": "approve"}),
        spec(settings={"mode": "observe"}),
        [R.LIMITS],
    ),
    "observe to enforce, where nothing would change": (spec(settings={"mode": "observe"}), ONE, []),
}

# name: the accepted settings, the new ones, whether they are looser
LOOSER: dict[str, tuple[Yaml, Yaml, bool]] = {
    "widening from hold to free": ({}, FREE, True),
    "widening from approve to hold": (APPROVE, {}, True),
    "widening from free to hold": (FREE, {}, False),
    "widening from hold to approve": ({}, APPROVE, False),
    "max_removed up": ({"max_removed": 2}, {"max_removed": 3}, True),
    "max_removed down": ({"max_removed": 3}, {"max_removed": 2}, False),
    "max_removed gone, for more by default": ({"max_removed": 2}, {}, True),
    "max_removed gone, for less by default": ({"max_removed": 90}, {}, False),
    "max_removed given, for more than by default": ({}, {"max_removed": 6}, True),
    "max_removed given, for the default": ({}, {"max_removed": 5}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_what_waits(case: str) -> None:
    accepted, new, kinds = CASES[case]
    assert judged(accepted, new) == kinds


@pytest.mark.parametrize("case", LOOSER)
def test_looser_limits_wait_by_that_alone(case: str) -> None:
    before, after, is_looser = LOOSER[case]
    assert judged(spec(settings=before), spec(settings=after)) == ([R.LIMITS] if is_looser else [])


def removing(*numbers: int, hours: float = 1) -> list[list[ReasonKind]]:
    """What is judged of versions that remove so many users each, one every `hours`; what waits is not accepted."""
    accepted, left, now = ONE, list(USERS), NOW
    found: list[list[ReasonKind]] = []
    for number in numbers:
        new = spec(pull=left[number:])
        changes = access_changes(accepted, new)
        found.append(judged(accepted, new, now=now, changes=changes))
        if not found[-1]:
            accepted, left = replace(new, removals=removals_after(accepted, changes, now)), left[number:]
        now += timedelta(hours=hours)
    return found


HELD = [R.REMOVALS]
SLICES: dict[str, tuple[list[list[ReasonKind]], list[list[ReasonKind]]]] = {
    "two small ones": (removing(2, 3), [[], []]),
    "a slice too many": (removing(2, 2, 2), [[], [], HELD]),
    "one by one": (removing(1, 1, 1, 1, 1, 1), [[], [], [], [], [], HELD]),
    "one every five hours": (removing(1, 1, 1, 1, 1, 1, hours=5), [[]] * 6),
    "again after a day": (removing(5, 5, hours=24), [[], []]),
    "again just before": (removing(5, 5, hours=23.9), [[], HELD]),
    "what waited does not count": (removing(6, 5), [HELD, []]),
}


@pytest.mark.parametrize("case", SLICES)
def test_removals_count_for_a_day(case: str) -> None:
    found, wanted = SLICES[case]
    assert found == wanted


def test_a_clock_that_jumps_back_forgets_no_removal() -> None:
    accepted = replace(ONE, removals=(Removal(NOW + timedelta(days=300), 5),))
    assert judged(accepted, spec(pull=USERS[1:])) == HELD


def test_what_is_remembered_of_removals_is_bounded_by_the_day() -> None:
    old = (Removal(NOW - 25 * HOUR, 3), Removal(NOW - 23 * HOUR, 2))
    after = removals_after(replace(ONE, removals=old), access_changes(ONE, spec(pull=USERS[1:])), NOW)
    assert after == (old[1], Removal(NOW, 1))
    assert removals_after(replace(ONE, removals=old), AccessChanges(()), NOW) == (old[1],)
    assert removals_after(None, AccessChanges(()), NOW) == ()


def test_what_could_not_be_decided_in_time_waits() -> None:
    undecided = AccessChanges((), tuple(f"repository/{HOME}/eu-central-1/shop/r{number}" for number in range(5)))
    assert judged(ONE, spec(version="v2"), changes=undecided) == [R.UNKNOWN]


def test_what_could_not_be_read_where_enforcing_begins_waits() -> None:
    assert judged(None, ONE, beginning=Beginning(unknown=("user/111111111111/*: denied",))) == [R.UNKNOWN]


def test_the_first_version_that_changes_nothing_does_not_wait() -> None:
    assert judged(None, ONE) == []


def test_who_gains_and_loses_is_said_in_words() -> None:
    changes = access_changes(ONE, spec(pull=[*USERS[1:], {"account": "ci"}]))
    said = effects(ONE, changes, Beginning())
    assert f"{CI} gains pull of shop/checkout ({HOME}, eu-central-1)" in said.gains
    assert not any("u1 " in line for line in said.loses)
    through = AccessChange("*", f"repository/{HOME}/eu-central-1/*", "push", Direction.LOSES, ("arn:r",), ("a", "b"))
    assert words_of(through) == f"* loses push of * ({HOME}, eu-central-1) through arn:r, if a and b"


def test_what_is_given_besides_access_is_said_too() -> None:
    deletes = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CI}:user/u1"}, "Action": "ecr:DeleteRepository"}
    repository = {"name": "shop/checkout", "account": "registry", "pull": USERS, "beside": {"Statement": [deletes]}}
    new = spec(repositories=[repository])
    said = effects(ONE, access_changes(ONE, new), Beginning())
    can = f"arn:aws:iam::{CI}:user/u1 can now delete from shop/checkout (ecr:DeleteRepository)"
    assert said.gains == (f"repository/{HOME}/eu-central-1/shop/checkout: {can}",)
    assert access_changes(new, new).others == ()


def test_many_outsiders_are_counted_in_a_hold_that_stays_small() -> None:
    many = [{"AWS": f"{OUTSIDER[:8]}{number:04}"} for number in range(50)]
    new = spec(documents=[policy(*(lets(one) for one in many))])
    found = reasons_to_hold(ONE, new, AccessChanges(()), beginning=Beginning(), grants=lambda: 0, now=NOW)
    assert len(found) == 21
    assert found[-1].text == "it lets in 30 more outsiders"

"""What outsiders have besides what the spec gives, against trying every request of each principal and condition.

The oracle tries whole requests on plain JSON, by policy_oracle: who asks, with which values of each key that a
condition is on. It knows nothing of statements that are taken out, of contexts, or of classes.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from ecr_warden.audit.finding import Certainty, Finding, FindingKind
from ecr_warden.audit.findings import find
from ecr_warden.audit.repaired import Waits
from local.testing.printed import complete
from local.testing.seed import compiled
from tests import examples
from tests.property.policy_oracle import Request, allowed
from tests.snapshots import estate_from_text

type Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOME, CI, OUTSIDE, MEMBER = "222222222222", "111111111111", "999999999999", "888888888888"
ACME = "o-a1b2c3d4e5"
ARN = f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/x"
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LAMBDA = "lambda.amazonaws.com"
ROLE = f"arn:aws:iam::{HOME}:role/partner"
_USER = f"arn:aws:iam::{OUTSIDE}:user/eve"
WHO = {
    "anybody": "*",
    "an account": {"AWS": OUTSIDE},
    "a user": {"AWS": _USER},
    "a service": {"Service": LAMBDA},
}
CONDITIONS: dict[str, Json] = {
    "none": {},
    "after MFA": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    "from an address": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    "through an endpoint": {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
    "of any user": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}},
    "of the account": {"StringEquals": {"aws:PrincipalAccount": OUTSIDE}},
    "of another organization": {"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}},
    "of no organization of ours": {"StringNotEquals": {"aws:PrincipalOrgID": ACME}},
    "for an outsider": {"StringEquals": {"aws:SourceAccount": OUTSIDE}},
    "for whoever is not ours": {"StringNotEquals": {"aws:SourceAccount": HOME}},
    "with a tag": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
}
OF_ACME = {"StringEquals": {"aws:PrincipalOrgID": ACME}}
FOR_HOME = {"StringEquals": {"aws:SourceAccount": HOME}}
_GIVEN: dict[str, Json] = {
    "organization": {"Effect": "Allow", "Principal": "*", "Action": [*PULL], "Condition": OF_ACME},
    "service": {"Effect": "Allow", "Principal": {"Service": LAMBDA}, "Action": [*PULL], "Condition": FOR_HOME},
    "account after MFA": {
        "Effect": "Allow",
        "Principal": {"AWS": OUTSIDE},
        "Action": [*PULL],
        "Condition": CONDITIONS["after MFA"],
    },
    "one of the two calls": {"Effect": "Allow", "Principal": {"AWS": OUTSIDE}, "Action": PULL[0]},
}


def allow(who: object, *actions: str, condition: Json | None = None, effect: str = "Allow") -> Json:
    statement: Json = {"Effect": effect, "Principal": who, "Action": [*actions]}
    return statement | ({"Condition": condition} if condition else {})


def document(statements: Iterable[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": [*statements]}


_PEOPLE = (
    _USER,
    f"arn:aws:iam::{OUTSIDE}:user/other",
    f"arn:aws:iam::{OUTSIDE}:role/r",
    f"arn:aws:iam::{MEMBER}:role/r",
)
_VALUES: dict[str, tuple[tuple[str, ...], ...]] = {
    "aws:multifactorauthpresent": ((), ("true",)),
    "aws:sourceip": ((), ("203.0.113.7",), ("198.51.100.7",)),
    "aws:sourcevpce": ((), ("vpce-1",)),
}
_OF_PEOPLE = {
    "aws:principalorgid": ((), (ACME,), ("o-zzzzzzzzzz",)),
    "aws:principaltag/team": ((), ("red",)),
}
# Whether a service's calls have aws:PrincipalArn AWS does not say.
_OF_SERVICES = {"aws:sourceaccount": ((), (OUTSIDE,)), "aws:principalarn": ((), (_USER,))}


def outsiders() -> Iterator[tuple[str, Json]]:
    """Who may ask, with a context: users and roles of accounts that are not ours, and a service for an outsider."""
    for who in (*_PEOPLE, LAMBDA):
        keys = _VALUES | (_OF_SERVICES if who == LAMBDA else _OF_PEOPLE)
        own = {} if who == LAMBDA else {"aws:principalarn": (who,), "aws:principalaccount": (who.split(":")[4],)}
        for values in product(*keys.values()):
            context = {key: value for key, value in zip(keys, values, strict=True) if value}
            through_endpoint = "aws:sourcevpce" in context
            if through_endpoint is not ("aws:sourceip" in context):
                yield who, context | own


OUTSIDERS = [*outsiders()]


def can(documents: Sequence[Json], who: str, context: Json, actions: Sequence[str], arn: str = ARN) -> bool:
    together = document(statement for one in documents for statement in one["Statement"])
    return all(allowed(together, Request(who, action, arn, context)) for action in actions)


def left_over(live: Sequence[Json], spec: Sequence[Json], actions: Sequence[str] = PULL) -> set[str]:
    """The outsiders with a request that is allowed as it is, and not by the spec's documents alone."""
    return {
        who for who, context in OUTSIDERS if can(live, who, context, actions) and not can(spec, who, context, actions)
    }


def covers(finding: Finding, who: str) -> bool:
    """Is it about somebody who may be this one? Whoever lets in anybody lets in a service too."""
    account = who.split(":")[4] if who.startswith("arn:") else ""
    also = " ".join(finding.because).partition("the same lets in ")[2].split(", ")
    for name in (finding.principal, *also):
        if name.startswith("anyone") or name == who:
            return True
        if name == f"anybody in account {account}" or (
            not account and name in ("any AWS service", f"the AWS service {who}")
        ):
            return True
    return False


def estate(policy: Json | None, registry: Json | None, **more: Any) -> Json:
    iam = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": more.pop("roles", []), "Policies": []}
    listed = [{"repositoryName": "shop/x", "policy": policy, "tags": []}, *more.pop("repositories", [])]
    home = {"repositories": listed, "registryPolicy": registry, "creationTemplates": [], "replicationConfiguration": {}}
    home |= {"accountSettings": {"REGISTRY_POLICY_SCOPE": "V2"}, "pullThroughCacheRules": []}
    empty = {**iam, "RoleDetailList": []}
    accounts = {
        CI: {"iam": empty, "ecr": {}, "oidcProviders": [], "samlProviders": []},
        HOME: {"iam": iam, "ecr": {"eu-central-1": home | more}, "oidcProviders": [], "samlProviders": []},
    }
    return {"schema": 1, "takenAt": "2026-11-24T00:00:00Z", "accounts": accounts}


def spec_of(*statements: Json, trust: Json | None = None) -> Json:
    literal = {"kind": "repository-policy", "account": "registry", "repository": "shop/x"}
    documents = [literal | {"document": document(statements)}] if statements else []
    if trust is not None:
        documents.append({"kind": "trust-policy", "account": "registry", "role": "partner", "document": trust})
    accounts = {"ci": {"id": CI}, "registry": {"id": HOME, "regions": ["eu-central-1"]}}
    entries = [] if statements else [{"name": "shop/x", "account": "registry"}]
    # What is only observed gives outsiders nothing.
    settings = {"mode": "enforce"}
    return {"version": 1, "accounts": accounts, "settings": settings, "documents": documents, "repositories": entries}


def found(snapshot: Json, spec: Json, *waiting: str) -> list[Finding]:
    """The findings about outsiders, `waiting`: the targets that nobody repairs."""
    live = dict.fromkeys(waiting, Waits.OBSERVED).get
    read = estate_from_text(json.dumps(complete(snapshot)), at=NOW)
    return [
        one for one in find(read, compiled(json.dumps(spec), now=NOW), None, None, live=live).findings if one.foreign
    ]


PAIRS = [*product(CONDITIONS, WHO)]


@pytest.mark.parametrize("behind", _GIVEN)
@pytest.mark.parametrize(("condition", "who"), PAIRS)
def test_a_registry_policy_behind_what_the_spec_gives_is_found(behind: str, condition: str, who: str) -> None:
    own, opening = document([_GIVEN[behind]]), document([allow(WHO[who], *PULL, condition=CONDITIONS[condition])])
    on_it = document([opening["Statement"][0] | {"Resource": ARN}])
    expected = left_over([own, opening], [own])
    findings = [one for one in found(estate(own, on_it), spec_of(_GIVEN[behind])) if one.access == "pull"]
    for place in (FindingKind.EXTRA, FindingKind.REGISTRY):
        of_place = [one for one in findings if one.kind is place]
        assert all(any(covers(one, each) for one in of_place) for each in expected), (place, expected)
    extra = [one for one in findings if one.kind is FindingKind.EXTRA]
    assert all(any(covers(one, each) for each in expected) for one in extra)
    assert all("registry policy" in " ".join(one.because) for one in extra)


def test_most_pairs_open_something_and_some_cannot() -> None:
    """Of a user nothing is for an outsider, and a service has no organization."""
    own = document([_GIVEN["organization"]])
    silent = {
        pair
        for pair in PAIRS
        if not left_over([own, document([allow(WHO[pair[1]], *PULL, condition=CONDITIONS[pair[0]])])], [own])
    }
    assert len(PAIRS) == 44
    assert {pair for pair in silent if pair[1] != "a service"} == {
        ("for an outsider", "an account"),
        ("for an outsider", "a user"),
    }


@pytest.mark.parametrize(("condition", "who"), PAIRS)
def test_so_is_the_policy_of_a_repository_or_a_template_behind_a_registry_policy(condition: str, who: str) -> None:
    registry = document([_GIVEN["organization"] | {"Resource": "*"}])
    opening = document([allow(WHO[who], *PULL, condition=CONDITIONS[condition])])
    expected = left_over([registry, opening], [registry])
    snapshot = estate(
        None,
        registry,
        repositories=[{"repositoryName": "other", "policy": opening, "tags": []}],
        creationTemplates=[{"prefix": "new", "repositoryPolicy": opening}],
    )
    findings = [one for one in found(snapshot, spec_of()) if one.access == "pull"]
    for kind, place in ((FindingKind.EXTRA, "other"), (FindingKind.TEMPLATE, "")):
        here = [one for one in findings if one.kind is kind and one.place.endswith(place)]
        here = [one for one in here if not one.place.endswith("shop/x")]
        assert all(any(covers(one, each) for one in here) for each in expected), (kind, expected)
        assert all(any(covers(one, each) for each in expected) for one in here)


_SOME = settings(examples.of(25, 400), phases=(Phase.explicit, Phase.reuse, Phase.generate))
_ACTIONS = st.sampled_from((PULL, PULL, PULL[:1], PULL[1:], ("ecr:*",)))
_STATEMENTS = st.builds(
    lambda who, actions, name, effect: allow(WHO[who], *actions, condition=CONDITIONS[name], effect=effect),
    st.sampled_from(sorted(WHO)),
    _ACTIONS,
    st.sampled_from(sorted(CONDITIONS)),
    st.sampled_from(("Allow", "Allow", "Allow", "Deny")),
)
_SOME_STATEMENTS = st.lists(_STATEMENTS, min_size=1, max_size=3)


@_SOME
@given(
    st.lists(st.sampled_from(sorted(_GIVEN)), min_size=1, max_size=2, unique=True),
    st.lists(_STATEMENTS, max_size=1),
    st.none() | _SOME_STATEMENTS,
    st.none() | _SOME_STATEMENTS,
)
def test_whatever_an_outsider_may_do_that_the_spec_does_not_give_is_found(
    behind: list[str], denied: list[Json], live: list[Json] | None, registry: list[Json] | None
) -> None:
    """`live`: what lies there in place of the spec's document, where nobody repairs it."""
    of_spec = [*(_GIVEN[name] for name in behind), *(one | {"Effect": "Deny"} for one in denied)]
    spec, here = document(of_spec), document(of_spec[:1] + live if live else of_spec)
    on_all = document(one | {"Resource": "*"} for one in registry) if registry else None
    waiting = [f"repository/{HOME}/eu-central-1/shop/x"] if live else []
    expected = left_over([here, *([document(registry)] if registry else [])], [spec])
    findings = found(estate(here, on_all), spec_of(*of_spec), *waiting)
    extra = [one for one in findings if one.kind is FindingKind.EXTRA and one.access == "pull"]
    assert all(any(covers(one, each) for one in extra) for each in expected), expected
    every = (*of_spec, *(live or []), *(registry or []))
    # A Deny that names one of a class is for less than the class.
    if all(one["Effect"] == "Allow" or one["Principal"] == "*" for one in every):
        assert all(any(covers(one, each) for each in expected) for one in extra), expected
    assert all(one.certainty is not Certainty.UNKNOWN for one in extra)


@_SOME
@given(_SOME_STATEMENTS, _SOME_STATEMENTS, _SOME_STATEMENTS)
def test_so_is_what_an_outsider_may_do_by_a_role_that_the_spec_opens(
    trusted: list[Json], own: list[Json], registry: list[Json]
) -> None:
    trust = document(one | {"Action": "sts:AssumeRole"} for one in trusted)
    assume(all("Condition" in one or one["Principal"] != "*" or one["Effect"] == "Deny" for one in trusted))
    held = document({key: value for key, value in one.items() if key != "Principal"} | {"Resource": "*"} for one in own)
    policies = [{"PolicyName": "own", "PolicyDocument": held}]
    role = {"Arn": ROLE, "RoleId": "AROAPARTNER", "AssumeRolePolicyDocument": trust, "RolePolicyList": policies}
    snapshot = estate(None, document(one | {"Resource": "*"} for one in registry), roles=[role])
    session = f"arn:aws:sts::{HOME}:assumed-role/partner/s"
    keys = {"aws:principalarn": (ROLE,), "aws:principalaccount": (HOME,)}
    reaches = any(
        can([held, document(registry)], session, context | keys, PULL)
        for who, context in OUTSIDERS
        if who == _USER and "aws:principaltag/team" not in context
    )
    enter = {
        who for who, context in OUTSIDERS if who != LAMBDA and can([trust], who, context, ["sts:AssumeRole"], ROLE)
    }
    expected = enter if reaches else set()
    spec = spec_of(trust=trust)
    extra = [one for one in found(snapshot, spec) if one.access == "pull" and one.kind is FindingKind.EXTRA]
    assert all(any(covers(one, each) for one in extra) for each in expected), expected

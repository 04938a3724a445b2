"""What accounts lack of the identity providers whose tokens roles take."""

import json
import shlex
from typing import Any

import pytest

from ecr_warden.audit.providers import GapKind, Trust, gaps
from iam_access.document.document import parse_document
from iam_access.inventory.inventory import Providers, Unread

HOME = "222222222222"
GITHUB, GITLAB = (f"arn:aws:iam::{HOME}:oidc-provider/{one}" for one in ("gh.example.com", "gitlab.example.com/group"))


def statement(provider: str = GITHUB, **more: Any) -> dict[str, Any]:
    """Lets in whoever has a token of a provider; its audience is sts unless a condition is given."""
    issuer = provider.partition(":oidc-provider/")[2]
    condition = {"StringEquals": {f"{issuer}:aud": "sts"}}
    principal = {"Federated": provider}
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
        **more,
    }


def trust(*statements: dict[str, Any], role: str = "pusher") -> Trust:
    return Trust(role, parse_document(json.dumps({"Version": "2012-10-17", "Statement": statements})))


def found(*trusts: Trust, known: Providers | Unread) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    return [(gap.kind, gap.issuer, gap.roles, gap.audiences) for gap in gaps(trusts, {HOME: known})]


def test_roles_of_one_provider_lack_it_together_with_all_their_audiences() -> None:
    other = statement(Condition={"StringEquals": {"GH.example.com:AUD": ["b", "a"]}})
    trusts = (trust(statement(), role="one"), trust(other, role="two"))
    assert found(*trusts, known={}) == [("missing", "gh.example.com", ("one", "two"), ("a", "b", "sts"))]
    (gap,) = gaps(trusts, {HOME: {}})
    assert "does not exist in account 222222222222: nobody can assume roles one, two with" in gap.because
    assert gap.remedy.endswith("--url https://gh.example.com --client-id-list a b sts")


def test_an_audience_is_lacking_for_the_roles_that_ask_for_it() -> None:
    other = statement(Condition={"StringEquals": {"gh.example.com:aud": "b"}})
    trusts = (trust(statement(), other, role="one"), trust(other, role="two"))
    assert found(*trusts, known={GITHUB: ("sts",)}) == [("audience", "gh.example.com", ("one", "two"), ("b",))]
    assert found(*trusts, known={GITHUB: ()}) == [
        ("audience", "gh.example.com", ("one", "two"), ("b",)),
        ("audience", "gh.example.com", ("one",), ("sts",)),
    ]
    assert found(*trusts, known={GITHUB: ("b", "sts")}) == []
    assert found(*trusts, known={GITHUB: None}) == [], "audiences that are unknown are not lacking"


def test_what_was_not_read_is_unknown() -> None:
    unread = Unread("identity providers", "permission-missing")
    (gap,) = gaps([trust(statement())], {HOME: unread})
    assert (gap.kind, gap.why) == (GapKind.UNKNOWN, "permission-missing")
    assert "is unknown (permission-missing)" in gap.because
    (other,) = gaps([trust(statement())], {})
    assert other.kind is GapKind.UNKNOWN


NONE: dict[str, dict[str, Any]] = {
    "a Deny": statement(Effect="Deny"),
    "everybody but": {**statement(), "Principal": None, "NotPrincipal": {"Federated": GITHUB}},
    "a user": statement(Principal={"AWS": f"arn:aws:iam::{HOME}:user/ann"}),
    "SAML": statement(Principal={"Federated": f"arn:aws:iam::{HOME}:saml-provider/x"}),
    "a web identity of AWS's own": statement(Principal={"Federated": "cognito-identity.amazonaws.com"}),
    "no ARN": statement(Principal={"Federated": ":oidc-provider/"}),
}


@pytest.mark.parametrize("name", NONE)
def test_what_trusts_no_provider_lacks_none(name: str) -> None:
    given = {key: value for key, value in NONE[name].items() if value is not None}
    assert found(trust(given), known={}) == []
    assert len(found(trust(given, statement()), known={})) == 1


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"gh.example.com:aud": "x*"}},
        {"StringNotEquals": {"gh.example.com:aud": "x"}},
        {"StringEquals": {"other.example.com:aud": "x"}},
        {"StringEquals": {"gh.example.com:sub": "x"}},
    ],
    ids=str,
)
def test_only_an_exact_audience_can_be_lacking(condition: dict[str, Any]) -> None:
    assert found(trust(statement(Condition=condition)), known={GITHUB: ()}) == []


def test_providers_are_asked_for_in_their_own_accounts() -> None:
    away = statement("arn:aws:iam::333333333333:oidc-provider/gh.example.com")
    trusts = [trust(statement(), statement(GITLAB), away)]
    assert [gap.account for gap in gaps(trusts, {HOME: {}})] == [HOME, HOME, "333333333333"]


def test_text_of_others_is_quoted_in_commands_and_printable() -> None:
    evil = "x'; rm -rf ~; echo \u202e&"
    named = statement(
        f"arn:aws:iam::{HOME}:oidc-provider/{evil}", Condition={"StringEquals": {f"{evil}:aud": "$(reboot)"}}
    )
    states: tuple[Providers | Unread, ...] = ({}, Unread("identity providers", evil))
    for known in states:
        for gap in gaps([trust(named, role=evil)], {HOME: known}):
            assert gap.because.isprintable()
            assert gap.remedy.isprintable()
            words = shlex.split(gap.remedy)
            assert "rm" not in words
            assert "$(reboot)" in words or gap.kind is GapKind.UNKNOWN

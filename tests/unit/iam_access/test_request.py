"""Requests: what follows from the principal, and what single documents say."""

import pytest

from iam_access.evaluate.request import make_request
from iam_access.evaluate.request_principal import ANONYMOUS, CallerKind, RequestError, parse_request_principal
from tests.unit.iam_access.evaluations import REPOSITORY, USER


@pytest.mark.parametrize(
    ("text", "kind", "account", "name"),
    [
        ("arn:aws:iam::222222222222:root", CallerKind.ROOT, "222222222222", ""),
        ("222222222222", CallerKind.ROOT, "222222222222", ""),
        ("arn:aws:iam::222222222222:user/a/b/dev", CallerKind.USER, "222222222222", "dev"),
        ("arn:aws-cn:iam::222222222222:role/p/r", CallerKind.ROLE, "222222222222", "r"),
        ("arn:aws:sts::222222222222:assumed-role/r/s", CallerKind.SESSION, "222222222222", "r"),
        ("arn:aws:sts::222222222222:federated-user/f", CallerKind.FEDERATED_USER, "222222222222", "f"),
        ("arn:aws:iam::222222222222:saml-provider/corp", CallerKind.FEDERATED, "222222222222", "corp"),
        ("accounts.google.com", CallerKind.FEDERATED, None, ""),
        ("graph.facebook.com", CallerKind.FEDERATED, None, ""),
        ("www.amazon.com", CallerKind.FEDERATED, None, ""),
        ("cognito-identity.amazonaws.com", CallerKind.FEDERATED, None, ""),
        ("ecs-tasks.amazonaws.com", CallerKind.SERVICE, None, ""),
        ("*", CallerKind.ANONYMOUS, None, ""),
    ],
)
def test_a_principal_is_known_by_its_text(text: str, kind: CallerKind, account: str | None, name: str) -> None:
    principal = parse_request_principal(text)
    assert (principal.kind, principal.account, principal.name) == (kind, account, name)


@pytest.mark.parametrize(
    "resource",
    [
        *("user/", "user/a/", "role/", "role/a/", "user/a*", "role/a?", "saml-provider/", "oidc-provider/", "root/"),
        *("user", "group/g", "policy/p"),
    ],
)
def test_an_arn_of_nobody_is_no_principal(resource: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request_principal(f"arn:aws:iam::222222222222:{resource}")
    assert caught.value.code == "request-principal"


def test_a_principal_may_be_as_long_as_an_arn_of_iam() -> None:
    """Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html (Arn)."""
    longest = "arn:aws:iam::222222222222:role/".ljust(2048, "r")
    assert parse_request_principal(longest).kind is CallerKind.ROLE
    with pytest.raises(RequestError):
        parse_request_principal(f"{longest}r")


@pytest.mark.parametrize("resource", ["assumed-role/r", "assumed-role/r/", "assumed-role//s", "federated-user/", "x/y"])
def test_an_arn_of_no_session_is_no_principal(resource: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request_principal(f"arn:aws:sts::222222222222:{resource}")
    assert caught.value.code == "request-principal"


def test_a_made_request_has_its_keys_in_lower_case_and_given_keys_win() -> None:
    principal = parse_request_principal(USER)
    made = make_request(principal, "ecr:PutImage", REPOSITORY, {"AWS:UserName": "other", "aws:TagKeys": ["a", "b"]})
    assert made.context["aws:username"] == ("other",)
    assert made.context["aws:tagkeys"] == ("a", "b")
    assert made.context["aws:principalarn"] == (USER,)
    assert made.resource_account == "222222222222"


def test_the_keys_of_an_anonymous_request_say_that_it_is() -> None:
    keys = {"aws:principaltype": "Anonymous", "aws:principalaccount": "anonymous", "aws:userid": "anonymous"}
    assert dict(make_request(ANONYMOUS, "ecr:PutImage").context) == {key: (value,) for key, value in keys.items()}

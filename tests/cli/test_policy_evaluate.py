"""`dev policy-evaluate`: one answer per line, in order."""

import json
from typing import Any

import pytest

from tests.cli.command import Command, Ran

USER = "arn:aws:iam::222222222222:user/dev"
REPOSITORY = "arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Sid": "Push", "Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
PUSH = {"name": "push", "principal": USER, "action": "ecr:PutImage", "resource": REPOSITORY}


def _ask(*lines: Any) -> tuple[Ran, list[dict[str, Any]]]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    ran = Command()("dev", "policy-evaluate", stdin=text.encode(errors="surrogatepass"))
    return ran, [json.loads(line) for line in ran.out.splitlines()]


def test_each_line_is_answered_in_order() -> None:
    ran, answers = _ask(PUSH | {"name": "a", "identityPolicies": [ALLOW]}, "", PUSH | {"name": "b"})
    assert ran.code == 0
    assert [(answer["name"], answer["verdict"]) for answer in answers] == [("a", "Allowed"), ("b", "ImplicitlyDenied")]
    assert answers[0]["because"] == [
        {
            "place": "identityPolicies[0].Statement[0]",
            "sid": "Push",
            "text": 'statement 1 ("Push") of identityPolicies[0] allows it',
        }
    ]
    assert [reason["place"] for reason in answers[1]["because"]] == ["identityPolicies", "resourcePolicy"]


def test_every_field_affects_the_verdict() -> None:
    deny = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    to_anyone = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*"}}
    fields = {
        "identityPolicies": [deny],
        "resourcePolicy": to_anyone,
        "permissionBoundary": deny,
        "sessionPolicy": deny,
        "serviceControlPolicies": [[deny]],
        "resourceControlPolicies": [[to_anyone]],
    }
    for name, value in fields.items():
        _, (answer,) = _ask(PUSH | {"identityPolicies": [ALLOW], name: value})
        assert answer["verdict"] == "ExplicitlyDenied", name
        assert answer["because"][0]["place"].startswith(name)


def test_trust_policy_context_and_resource_account_affect_the_verdict() -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}
    trust = {"Statement": statement | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}
    assume: dict[str, Any] = {
        "principal": USER,
        "action": "sts:AssumeRole",
        "resource": "arn:aws:iam::222222222222:role/r",
    }
    assume |= {"name": None, "trustPolicy": trust, "context": {"aws:multifactorauthpresent": True}}
    bucket = PUSH | {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "identityPolicies": [ALLOW]}
    _, answers = _ask(assume, assume | {"context": {}}, bucket | {"resourceAccount": "111111111111"})
    assert [answer["verdict"] for answer in answers] == ["Allowed", "ImplicitlyDenied", "ImplicitlyDenied"]


def test_a_document_may_be_its_text_and_null_is_absent() -> None:
    _, (answer,) = _ask(PUSH | {"identityPolicies": [json.dumps(ALLOW)], "resourcePolicy": None, "context": None})
    assert answer["verdict"] == "Allowed"


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        ("{", "line-json", ""),
        ("[]", "line-type", ""),
        ('{"name": "a", "name": "b"}', "line-key-repeated", "name"),
        ('{"name": NaN}', "line-number", ""),
        ("[" * 100_000, "line-too-deep", ""),
        ('{"name": 5}', "line-type", "name"),
        ("{}", "request-type", "principal"),
        (PUSH | {"permissionsBoundary": ALLOW}, "line-unknown", "permissionsBoundary"),
        (PUSH | {"principal": "dev"}, "request-principal", "principal"),
        (PUSH | {"principal": "arn:aws:iam::222222222222:group/g"}, "request-principal", "principal"),
        (PUSH | {"principal": "arn:aws:sts::222222222222:assumed-role/r"}, "request-principal", "principal"),
        (PUSH | {"principal": "arn:aws:iam::222222222222:user/*"}, "request-principal", "principal"),
        (PUSH | {"principal": "arn:aws:iam::222222222222:root/"}, "request-principal", "principal"),
        (PUSH | {"action": "PutImage"}, "request-action", "action"),
        (PUSH | {"action": "ecr:*"}, "request-action", "action"),
        (PUSH | {"resource": "shop"}, "request-resource", "resource"),
        (PUSH | {"resource": 5}, "request-type", "resource"),
        (PUSH | {"resource": "arn:aws:ecr:a:2:" + "x" * 3000}, "request-length", "resource"),
        (PUSH | {"resourceAccount": "registry"}, "request-account", "resourceAccount"),
        (PUSH | {"context": []}, "request-type", "context"),
        (PUSH | {"context": {"k": {}}}, "request-context", "context.k"),
        (PUSH | {"context": {"k": "a", "K": "a"}}, "request-context", "context.K"),
        (PUSH | {"context": {"k": "a" * 5000}}, "request-length", "context.k"),
        (PUSH | {"identityPolicies": ALLOW}, "line-type", "identityPolicies"),
        (PUSH | {"identityPolicies": [5]}, "document-type", "identityPolicies[0]"),
        (PUSH | {"serviceControlPolicies": [ALLOW]}, "line-type", "serviceControlPolicies"),
        (PUSH | {"sessionPolicy": {"Statement": []}}, "document-empty", "sessionPolicy.Statement"),
        (PUSH | {"identityPolicies": ["{"]}, "document-json", "identityPolicies[0]"),
    ],
)
def test_a_bad_line_is_answered_by_its_error_and_the_other_lines_as_usual(line: Any, code: str, place: str) -> None:
    ran, answers = _ask(line, PUSH | {"identityPolicies": [ALLOW]})
    assert ran.code == 1
    assert ran.err == ""
    assert [answer["verdict"] for answer in answers] == [None, "Allowed"]
    assert (answers[0]["error"]["code"], answers[0]["error"]["place"]) == (code, place)
    assert answers[0]["error"]["message"]
    assert answers[0]["error"]["remedy"]


def test_missing_and_misspelt_fields_are_distinguished() -> None:
    _, answers = _ask({"action": "ecr:PutImage"}, {"principal": USER}, PUSH | {"permissionsBoundary": ALLOW})
    errors = [answer["error"] for answer in answers]
    assert [error["message"] for error in errors[:2]] == ["principal: missing", "action: missing"]
    assert errors[2]["remedy"].startswith("write permissionBoundary; the fields are name, principal,")


def test_a_line_that_is_too_long_is_not_read_to_its_end() -> None:
    long = json.dumps(PUSH | {"name": "x" * 3_000_000})
    _, answers = _ask(long, PUSH | {"identityPolicies": [ALLOW]})
    assert [answer["name"] for answer in answers] == [None, "push"]
    assert answers[0]["error"]["code"] == "line-too-large"


def test_the_policy_verb_needs_a_verb() -> None:
    ran = Command()("dev")
    assert (ran.code, ran.out) == (1, "")
    assert Command()("dev", "policy-evaluate", "--json").code == 0


def test_excessive_work_is_refused() -> None:
    values = [f"v{index}" for index in range(1000)]
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringLike": {"k": values}}}
    _, answers = _ask(
        *(PUSH | {"context": {"k": values[:count]}, "identityPolicies": [{"Statement": allow}]} for count in (250, 900))
    )
    assert answers[0]["verdict"] == "Allowed"
    assert answers[1]["error"]["code"] == "request-too-large"

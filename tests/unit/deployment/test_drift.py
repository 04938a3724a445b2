"""What CloudFormation calls drift: two values of a property, and whether AWS treats them alike."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ecr_warden_cli.deployment.drift import action_of
from ecr_warden_cli.deployment.ports import UNREAD

ROOT = "arn:aws:iam::111111111111:root"
READ = {"Sid": "Read", "Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": "*"}
DENY = {"Sid": "Deny", "Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}


def document(*statements: Mapping[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": [*statements]}


SAME: Mapping[str, tuple[Any, Any]] = {
    "statements in another order": (document(READ, DENY), document(DENY, READ)),
    "actions in another order": (
        document(READ),
        document(READ | {"Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage"]}),
    ),
    "one value and a list of one": (document(DENY), document(DENY | {"Action": ["sqs:*"], "Resource": ["*"]})),
    "one statement and a list of one": (document(DENY) | {"Statement": DENY}, document(DENY)),
    "an account and its root": (
        document(TRUST),
        document(TRUST | {"Principal": {"AWS": "111111111111"}}),
    ),
    "another Sid": (document(READ), document(READ | {"Sid": "Other"})),
    "a document as text": (json.dumps(document(READ, DENY)), document(DENY, READ)),
    "inline policies in another order": (
        [
            {"PolicyName": "b", "PolicyDocument": document(DENY)},
            {"PolicyName": "a", "PolicyDocument": document(READ, DENY)},
        ],
        [
            {"PolicyDocument": document(DENY, READ), "PolicyName": "a"},
            {"PolicyName": "b", "PolicyDocument": document(DENY)},
        ],
    ),
    "tags in another order": (
        [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
        [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}],
    ),
    "a statement of a bus": (TRUST, TRUST | {"Principal": {"AWS": ["111111111111"]}}),
    "no policies and none said": (None, []),
    "a number as text": (3600, "3600"),
    "yes as text": (True, "true"),
    "a setting inside another": (
        {"BlockPublicAcls": True, "Rules": []},
        {"BlockPublicAcls": "true"},
    ),
}
OTHER: Mapping[str, tuple[Any, Any]] = {
    "one statement more": (document(READ, TRUST), document(READ)),
    "one statement less": (document(READ), document(READ, DENY)),
    "another account": (document(TRUST), document(TRUST | {"Principal": {"AWS": "222222222222"}})),
    "everybody": (document(TRUST | {"Principal": "*"}), document(TRUST)),
    "a condition that is gone": (
        document(TRUST),
        document(TRUST | {"Condition": {"StringEquals": {"sts:ExternalId": "x"}}}),
    ),
    "an inline policy more": (
        [{"PolicyName": name, "PolicyDocument": document(DENY)} for name in ("a", "b")],
        [{"PolicyName": "a", "PolicyDocument": document(DENY)}],
    ),
    "an inline policy of another name": (
        [{"PolicyName": "b", "PolicyDocument": document(DENY)}],
        [{"PolicyName": "a", "PolicyDocument": document(DENY)}],
    ),
    "an attached policy": (["arn:aws:iam::aws:policy/AdministratorAccess"], []),
    "a boundary that is gone": (None, "arn:aws:iam::1:policy/b"),
    "layers in another order": (["a", "b"], ["b", "a"]),
    "a rule that is off": ("DISABLED", "ENABLED"),
    "what is no document": ({"Statement": [{"Effect": "Perhaps"}]}, {"Statement": [{"Effect": "Perhaps"}]}),
    "public access": ({"BlockPublicAcls": False}, {"BlockPublicAcls": True}),
}


def by_value(actual: Any, wanted: Any, **more: Any) -> dict[str, Any]:
    """A change as CloudFormation describes it by the values of one property; None is left out."""
    drift = {} if actual is None else {"ActualValue": spelled(actual)}
    after = {} if wanted is None else {"AfterValue": spelled(wanted)}
    target = {"Attribute": "Properties", "Name": "One", "Drift": {"PreviousValue": "", **drift}, **after}
    return {"Action": "Modify", "ResourceDriftStatus": "MODIFIED", "Details": [{"Target": target}], **more}


def spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def by_context(actual: Any, wanted: Any) -> dict[str, Any]:
    """The same with the whole resource, where the path leads to a part of the property, in another order."""
    change = by_value("reordered", "otherwise")
    given = {"BeforeContext": actual, "AfterContext": wanted}
    contexts = {name: {} if value is None else {"One": value} for name, value in given.items()}
    return change | {name: json.dumps({"Properties": one, "Metadata": {}}) for name, one in contexts.items()}


FORMS = {"by value": by_value, "by context": by_context}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", SAME)
def test_what_says_the_same_is_no_drift(case: str, form: str) -> None:
    actual, wanted = SAME[case]
    assert action_of(FORMS[form](actual, wanted)) == ""
    assert action_of(FORMS[form](wanted, actual)) == ""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", OTHER)
def test_what_differs_is_drift(case: str, form: str) -> None:
    actual, wanted = OTHER[case]
    assert action_of(FORMS[form](actual, wanted)) == "Modify"
    assert action_of(FORMS[form](wanted, actual)) == "Modify"


LONG = json.dumps(document(READ))[:60]
TWICE = json.dumps(document(DENY)).replace('"Statement"', '"Statement": [], "Statement"')
TWO = [*by_value("ENABLED", "ENABLED")["Details"], *by_value("DISABLED", "ENABLED")["Details"]]
JUDGED: Mapping[str, tuple[dict[str, Any], str]] = {
    "a document with two equal keys equals nothing": (by_value(TWICE, document(DENY)), "Modify"),
    "a value that was cut equals nothing": (by_value(LONG, LONG), "Modify"),
    "a change of the template": ({"Action": "Modify", "Details": [{"Target": {"Name": "One"}}]}, "Modify"),
    "a change without details": ({"Action": "Modify"}, "Modify"),
    "a resource that is gone": ({"Action": "Add"}, "Add"),
    "one of two properties": (by_value("", "") | {"Details": TWO}, "Modify"),
    "drift and a change of the template": (
        by_value("ENABLED", "ENABLED") | {"Details": [*TWO[:1], {"Target": {"Name": "Two", "AfterValue": "x"}}]},
        "Modify",
    ),
    "no value of either": (by_value(None, None), UNREAD),
    "no value of one of two": (
        by_value("", "") | {"Details": [*TWO[:1], *by_value(None, None)["Details"]]},
        UNREAD,
    ),
    "a resource that could not be read": (by_value("x", "y", ResourceDriftStatus="UNKNOWN"), UNREAD),
    "a context that is none": (by_value("x", "y", BeforeContext="{", AfterContext="7"), "Modify"),
}


@pytest.mark.parametrize("case", JUDGED)
def test_what_is_not_shown_is_neither_the_same_nor_changed(case: str) -> None:
    change, action = JUDGED[case]
    assert action_of(change) == action

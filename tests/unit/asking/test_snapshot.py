"""Snapshots: what is no snapshot is refused by name; a part that cannot be used is unread, and the rest is read."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ecr_warden.core.estate import EcrAccount
from ecr_warden_cli.asking import snapshot
from ecr_warden_cli.asking.snapshot import control_policies
from iam_access.document.document import Document
from iam_access.inventory.accounts import ControlKind
from iam_access.inventory.inventory import Unread
from iam_access.inventory.printed import SnapshotError
from local.testing.printed import complete_account
from tests.snapshots import estate_from_text
from tests.tables import load

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOME = "222222222222"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}


def _read(**entry: Any) -> EcrAccount:
    text = json.dumps({"schema": 1, "accounts": {HOME: complete_account(entry)}})
    return estate_from_text(text, at=NOW).accounts[HOME]


def _user(**more: Any) -> dict[str, Any]:
    return {"Arn": f"arn:aws:iam::{HOME}:user/ann", "UserId": "AIDA1", **more}


TABLES: dict[str, dict[str, dict[str, Any]]] = load((Path(__file__).parents[2] / "cases/snapshots.yaml").read_text())
REFUSED: dict[str, tuple[bytes, str]] = {
    "nested without end": (b"[" * 200_000, "nested too deeply"),
    **{name: (row["text"].encode(), row["says"]) for name, row in TABLES["refused"].items()},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_not_a_snapshot_is_refused(name: str) -> None:
    text, words = REFUSED[name]
    with pytest.raises(SnapshotError) as raised:
        estate_from_text(text, at=NOW)
    assert words in raised.value.message


def test_a_snapshot_beyond_the_limit_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MAX_BYTES", 10)
    with pytest.raises(SnapshotError, match="at most 10"):
        estate_from_text(b'{"schema": 1}', at=NOW)


@pytest.mark.parametrize("document", [ALLOW, json.dumps(ALLOW), quote(json.dumps(ALLOW))])
def test_documents_are_objects_texts_or_url_encoded(document: object) -> None:
    account = _read(iam={"UserDetailList": [_user(UserPolicyList=[{"PolicyName": "p", "PolicyDocument": document}])]})
    (policy,) = account.identities[f"arn:aws:iam::{HOME}:user/ann"].policies
    assert not isinstance(policy.document, Unread)


@pytest.mark.parametrize("name", TABLES["unread"])
def test_what_cannot_be_used_is_unread_by_name(name: str) -> None:
    row = TABLES["unread"][name]
    assert row["what"] in {one.what for one in _read(**row["entry"]).unread}


_FULL, _DENY = ALLOW, {"Statement": {"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}}
LEVELS: dict[str, tuple[object, list[int]]] = {
    "one document that allows is one level": (_FULL, [1]),
    "documents that only deny stand beside AWS's full access": (_DENY, [2]),
    "documents are one level": ([_FULL, _DENY], [2]),
    "a list of lists is levels as they are": ([[_FULL], [_DENY]], [1, 1]),
    "what describe-policy prints is its document": ({"Policy": {"Content": json.dumps(_FULL)}}, [1]),
}


@pytest.mark.parametrize("name", LEVELS)
def test_control_policies_are_read_from_a_file_of_their_own(name: str) -> None:
    given, sizes = LEVELS[name]
    levels = control_policies(json.dumps(given), ControlKind.SERVICE, HOME)
    assert [len(level) for level in levels] == sizes
    assert not [policy for level in levels for policy in level if isinstance(policy.document, Unread)]


def test_resource_control_policies_that_only_deny_stand_alone() -> None:
    (level,) = control_policies(json.dumps(_DENY), ControlKind.RESOURCE, HOME)
    assert len(level) == 1


NO_POLICY = {
    "a statement that is a number": '{"Statement": 1}',
    "a snapshot": '{"schema": 1, "accounts": {}}',
    "a list of policies without their documents": '{"Policies": [{"Id": "p-1", "Name": "x"}]}',
    "a text": '"x"',
    "one of two that is none": json.dumps([_DENY, {}]),
    "one of a level that is none": json.dumps([[_DENY], [7]]),
    "an empty list": "[]",
    "a level that is empty": "[[]]",
    "one of two levels that is empty": json.dumps([[_DENY], []]),
}


@pytest.mark.parametrize("kind", ControlKind)
@pytest.mark.parametrize("name", NO_POLICY)
def test_a_file_of_control_policies_that_is_no_policy_is_refused(name: str, kind: ControlKind) -> None:
    with pytest.raises(SnapshotError, match=r"not a policy document|no policy document") as raised:
        control_policies(NO_POLICY[name], kind, HOME)
    assert raised.value.remedy == "give a policy document, or a list of documents for each level"


def test_an_id_that_somebody_has_is_their_arn() -> None:
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": ["AIDA1", "AIDA2"]}, "Action": "sts:AssumeRole"}}
    role = {"Arn": f"arn:aws:iam::{HOME}:role/deploy", "RoleId": "AROA1", "AssumeRolePolicyDocument": trust}
    account = _read(iam={"UserDetailList": [_user()], "RoleDetailList": [role]})
    policy = account.identities[f"arn:aws:iam::{HOME}:role/deploy"].trust
    assert policy is not None
    assert isinstance(policy.document, Document)
    principals = policy.document.statements[0].principals
    assert principals is not None
    assert [one.value for one in principals.values] == [f"arn:aws:iam::{HOME}:user/ann", "AIDA2"]


def test_a_policy_that_cannot_be_parsed_is_unread_and_the_rest_is_read() -> None:
    policies = [{"PolicyName": "bad", "PolicyDocument": "{"}, {"PolicyName": "good", "PolicyDocument": ALLOW}]
    account = _read(iam={"UserDetailList": [_user(UserPolicyList=policies)]})
    bad, good = account.identities[f"arn:aws:iam::{HOME}:user/ann"].policies
    assert isinstance(bad.document, Unread)
    assert "not a policy document" in bad.document.why
    assert not isinstance(good.document, Unread)

"""What AWS was seen to answer (tests/cases/aws, each with its source), held against the rules and both emulators."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.behaviour.ecr_policy import set_repository_policy
from local.aws.behaviour.identity_policy import put_inline_policy
from local.aws.behaviour.outcome import Outcome, Refused, Stored
from local.aws.behaviour.switches import switches_from_json
from local.aws.behaviour.trust_policy import set_trust_policy
from local.aws.launcher import EmulatedAws
from local.aws.realistic_moto import RealisticMoto
from tests.contracts.aws import moto, new_session
from tests.local.support import NewAccount, StubWorld, allow, policy, trust

CASES = Path(__file__).parent.parent / "cases" / "aws"
DOCUMENTS: list[dict[str, Any]] = json.loads((CASES / "documents.json").read_text())
CALLS: list[dict[str, Any]] = json.loads((CASES / "calls.json").read_text())
ACCOUNT = "222222222222"


def outcome_of(case: Mapping[str, Any]) -> Outcome:
    world, text = StubWorld({}, switches=switches_from_json(case.get("switches", {}))), case["given"]
    match case["rule"]:
        case "repository-policy":
            return set_repository_policy(text, world)
        case "trust-policy":
            return set_trust_policy(text, world)
        case "user-policy":
            return put_inline_policy("user", "X", "p", text, {})
        case "role-policy":
            return put_inline_policy("role", "X", "p", text, {})
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("case", DOCUMENTS, ids=lambda case: case["name"])
def test_a_document_is_stored_or_refused_as_recorded_on_aws(case: dict[str, Any]) -> None:
    outcome = outcome_of(case)
    match case, outcome:
        case {"error": error}, Refused(code, message, status):
            assert {"code": code, "message": message, "status": status} == error
        case {"stored": stored}, Stored(text):
            assert text == stored
        case {"keeps": True}, Stored(text):
            assert json.loads(text) == json.loads(case["given"])
        case {"principals": principals}, Stored(text):
            found = json.loads(text)["Statement"][0]["Principal"]["AWS"]
            assert (found if isinstance(found, list) else [found]) == principals
        case _:
            pytest.fail(f"recorded otherwise ({case['citation']}): {outcome}")


def furnish(iam: Any) -> None:
    """What the recorded calls presuppose: a role without policies, a managed policy with five versions."""
    iam.create_role(RoleName="there", AssumeRolePolicyDocument=policy(trust({"Service": "ec2.amazonaws.com"})))
    full = iam.create_policy(PolicyName="full", PolicyDocument=policy(allow("ecr:*")))["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=full, PolicyDocument=policy(allow("ecr:*")))


@pytest.fixture(params=["emulator", "moto"])
def iam(
    request: pytest.FixtureRequest, aws: EmulatedAws, new_account: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """IAM of an account that holds what the calls presuppose."""
    if request.param == "emulator":
        client = aws.client(new_account(), "iam")
        furnish(client)
        yield client
        return
    with moto(monkeypatch):
        session = new_session()
        RealisticMoto().hook(session)
        client = session.client("iam", aws_access_key_id="k", aws_secret_access_key="s")
        furnish(client)
        yield client


def test_a_call_fails_as_recorded_on_aws(iam: Any) -> None:
    [full] = iam.list_policies(Scope="Local")["Policies"]
    for case in CALLS:
        given = {**case["given"], **({"PolicyArn": full["Arn"]} if "PolicyArn" in case["given"] else {})}
        with pytest.raises(ClientError) as error:
            getattr(iam, case["call"])(**given)
        response = error.value.response
        found = {"code": response["Error"]["Code"], "message": response["Error"]["Message"]}
        assert found | {"status": response["ResponseMetadata"]["HTTPStatusCode"]} == case["error"], case["citation"]


def test_every_record_names_its_source() -> None:
    assert all("aws-facts" in case["citation"] for case in (*DOCUMENTS, *CALLS))
    names = [case["name"] for case in (*DOCUMENTS, *CALLS)]
    assert len(names) == len({*names}) >= 20

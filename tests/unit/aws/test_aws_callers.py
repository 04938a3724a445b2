"""Who gives a command: what is sent to STS is made here, and a proof is good for one hub and one request."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials

from ecr_warden.core.failures import CallerUnauthenticated, PortError
from ecr_warden.core.job import Actor
from ecr_warden.hub.aws_callers import BODY, StsCallers, actor_of, digest_of, make_proof, sts_host
from local.testing.memory.hub import ManualClock
from tests.contracts.aws import REGION, new_session
from tests.contracts.sts import ALICE, Sts, serving

ACCOUNT = "111111111111"
HUB = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ecr-warden-control"
REQUEST = '{"schema":1}'
KEYS = Credentials("AKIDEXAMPLE12345", "secret")
SESSION = Credentials("ASIAEXAMPLE12345", "secret", "a+token/=")


@pytest.fixture
def sts() -> Iterator[tuple[Sts, StsCallers]]:
    with serving() as (server, url):
        client: Any = new_session().client(
            "sts", REGION, endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="x"
        )
        yield server, StsCallers(client, REGION, ACCOUNT, ManualClock(datetime.now(UTC)))


def proof_of(credentials: Credentials = KEYS, **changed: Any) -> dict[str, Any]:
    made = make_proof(credentials, region=REGION, hub=HUB, request=REQUEST)
    return {name: value for name, value in {**made, **changed}.items() if value is not None}


@pytest.mark.parametrize("credentials", [KEYS, SESSION], ids=["a user's keys", "a session"])
def test_a_caller_is_the_one_that_sts_returns(sts: tuple[Sts, StsCallers], credentials: Credentials) -> None:
    server, callers = sts
    assert callers.authenticate(proof_of(credentials), REQUEST, HUB) == Actor("IAMUser", arn=ALICE, account=ACCOUNT)
    [(headers, body)] = server.sent
    assert body == BODY
    assert (headers["host"], headers["x-ecrwarden-hub"]) == (sts_host(REGION), HUB)
    assert headers["x-ecrwarden-request"] == digest_of(REQUEST)
    assert headers.get("x-amz-security-token") == credentials.token


def test_the_request_to_sts_is_bound_to_the_command_and_not_to_what_the_proof_says(
    sts: tuple[Sts, StsCallers],
) -> None:
    server, callers = sts
    proof = proof_of() | {"host": "evil.example", "url": "https://evil.example/", "X-EcrWarden-Hub": "another"}
    callers.authenticate(proof, "another request", f"{HUB}2")
    [(headers, _)] = server.sent
    assert (headers["x-ecrwarden-hub"], headers["host"]) == (f"{HUB}2", sts_host(REGION))
    assert headers["x-ecrwarden-request"] == digest_of("another request") != digest_of(REQUEST)


def _without(header: str) -> str:
    authorization: str = proof_of()["authorization"]
    return authorization.replace(f";{header}", "")


HOSTILE: dict[str, object] = {
    "nothing": None,
    "a text": "proof",
    "no authorization": proof_of(authorization=None),
    "an authorization that is an object": proof_of(authorization={}),
    "a header in the authorization": proof_of(authorization=f"{proof_of()['authorization']}\r\nHost: evil"),
    "a header in the date": proof_of(date="20260101T000000Z\r\nx: y"),
    "a header in the token": proof_of(SESSION, token="a\r\nx: y"),
    "no date": proof_of(date=None),
    "a date that is none": proof_of(date="20269999T999999Z"),
    "a token that is not signed": proof_of(token="another"),
    "a signed token that is left out": proof_of(SESSION, token=None),
    "a signature without the hub": proof_of(authorization=_without("x-ecrwarden-hub")),
    "a signature without the request": proof_of(authorization=_without("x-ecrwarden-request")),
    "a signature without the host": proof_of(authorization=_without("host")),
    "a signature for another region": make_proof(KEYS, region="us-east-1", hub=HUB, request=REQUEST),
    "a signature for another service": proof_of(authorization=proof_of()["authorization"].replace("/sts/", "/s3/")),
}


def test_a_malformed_proof_is_never_sent_to_sts(sts: tuple[Sts, StsCallers], subtests: pytest.Subtests) -> None:
    server, callers = sts
    for name, proof in HOSTILE.items():
        with subtests.test(name):
            with pytest.raises(CallerUnauthenticated):
                callers.authenticate(proof, REQUEST, HUB)
            assert server.sent == []


@pytest.mark.parametrize(("seconds", "good"), [(-125, False), (-110, True), (50, True), (65, False)])
def test_a_proof_ends_after_two_minutes(sts: tuple[Sts, StsCallers], seconds: int, good: bool) -> None:
    """`seconds`: when it was signed, seen from the hub's clock."""
    _, callers = sts
    proof = proof_of()
    callers.clock = ManualClock(datetime.now(UTC) - timedelta(seconds=seconds))
    if good:
        assert callers.authenticate(proof, REQUEST, HUB).arn == ALICE
        return
    with pytest.raises(CallerUnauthenticated, match="was signed at"):
        callers.authenticate(proof, REQUEST, HUB)


def test_a_caller_that_sts_does_not_confirm_is_refused(sts: tuple[Sts, StsCallers]) -> None:
    server, callers = sts
    server.status = 403
    with pytest.raises(CallerUnauthenticated, match="The signature does not match"):
        callers.authenticate(proof_of(), REQUEST, HUB)


@pytest.mark.parametrize(
    "arn", ["", "somebody", "arn:aws:iam::111111111111:group/x", "arn:aws:iam::999999999999:user/eve"]
)
def test_callers_of_another_account_or_an_unknown_kind_are_refused(sts: tuple[Sts, StsCallers], arn: str) -> None:
    server, callers = sts
    server.arn = arn
    with pytest.raises(CallerUnauthenticated):
        callers.authenticate(proof_of(), REQUEST, HUB)


def test_an_sts_that_is_down_or_answers_unintelligibly_can_be_asked_again(sts: tuple[Sts, StsCallers]) -> None:
    server, callers = sts
    server.status = 503
    with pytest.raises(PortError) as caught:
        callers.authenticate(proof_of(), REQUEST, HUB)
    assert caught.value.retryable
    assert not isinstance(caught.value, CallerUnauthenticated)
    server.status, server.body = 200, "<<<"
    with pytest.raises(PortError) as caught:
        callers.authenticate(proof_of(), REQUEST, HUB)
    assert caught.value.retryable


def test_a_redirection_is_not_followed(sts: tuple[Sts, StsCallers]) -> None:
    server, callers = sts
    with serving() as (elsewhere, url):
        server.status, server.headers = 307, {"Location": url}
        with pytest.raises(CallerUnauthenticated):
            callers.authenticate(proof_of(), REQUEST, HUB)
        assert elsewhere.sent == []


@pytest.mark.parametrize(
    ("arn", "actor"),
    [
        ("arn:aws:iam::111111111111:root", {"type": "Root"}),
        ("arn:aws:iam::111111111111:user/ops/alice", {"type": "IAMUser"}),
        (
            "arn:aws:sts::111111111111:assumed-role/Operator/alice@example.com",
            {
                "type": "AssumedRole",
                "issuer": "arn:aws:iam::111111111111:role/Operator",
                "session_name": "alice@example.com",
            },
        ),
        ("arn:aws-cn:sts::111111111111:federated-user/bob", {"type": "FederatedUser", "session_name": "bob"}),
    ],
)
def test_the_kinds_of_callers(arn: str, actor: Mapping[str, str]) -> None:
    assert actor_of(arn) == Actor(**{**actor, "arn": arn, "account": ACCOUNT})

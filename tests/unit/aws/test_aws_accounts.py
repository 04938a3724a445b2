"""Sessions in the accounts: the arguments of AssumeRole, how long sessions last, and what is never shown."""

import json
import logging

import pytest

from ecr_warden.aws.accounts import CLIENT_CONFIG
from ecr_warden.core.failures import AccountUnreachable, BlockedByDeny
from ecr_warden_cli.terminal.profiles import ProfileAccounts
from local.testing.seed import CI, HOME
from tests.contracts.worlds import MotoWorld

READ, WRITE = (f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-warden-{kind}" for kind in ("read", "write"))


def test_read_session_names_role_and_external_id_and_lasts_an_hour(world: MotoWorld) -> None:
    world.accounts.reader(HOME)
    assert [dict(call.parameters) for call in world.wire.calls] == [
        {"RoleArn": READ, "RoleSessionName": "ecrw-read", "ExternalId": "external-id", "DurationSeconds": 3600}
    ]


def test_write_session_names_its_run_twice_and_carries_the_session_policy(world: MotoWorld) -> None:
    world.accounts.writer(HOME, "r1", "{}")
    assert [dict(call.parameters) for call in world.wire.calls] == [
        {
            "RoleArn": WRITE,
            "RoleSessionName": "ecrw-r1",
            "SourceIdentity": "ecrw-r1",
            "ExternalId": "external-id",
            "Policy": "{}",
            "DurationSeconds": 900,
        }
    ]


def test_write_session_is_never_cached(world: MotoWorld) -> None:
    for _ in range(2):
        world.accounts.writer(HOME, "r1", "{}")
    assert world.wire.actions == ["sts:AssumeRole"] * 2


def test_read_session_is_cached_for_its_own_account(world: MotoWorld) -> None:
    assert world.accounts.reader(HOME) is world.accounts.reader(HOME)
    assert world.accounts.reader(CI) is not world.accounts.reader(HOME)
    assert world.wire.actions == ["sts:AssumeRole"] * 2


@pytest.mark.parametrize(
    ("code", "message", "retryable", "says"),
    [
        ("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole", False, "ecr-warden deploy"),
        ("AccessDenied", "sts:AssumeRole with an explicit deny in a service control policy", False, "organization"),
        ("Throttling", "Rate exceeded", True, "retried"),
        ("RegionDisabledException", "STS is not activated in this region", False, "not activated"),
    ],
)
def test_account_whose_role_cannot_be_assumed_says_why(
    world: MotoWorld, code: str, message: str, retryable: bool, says: str
) -> None:
    world.wire.fail("sts:AssumeRole", code, message, 403)
    with pytest.raises(AccountUnreachable, match=says) as caught:
        world.accounts.writer(HOME, "r1", json.dumps({}))
    assert WRITE in caught.value.message
    assert caught.value.retryable is retryable


def test_denied_access_to_an_account_does_not_count_as_a_missing_stack(world: MotoWorld) -> None:
    arn = "arn:aws:iam::222222222222:role/ecr-warden/ecr-warden-read"
    denied = f"not authorized to perform: sts:AssumeRole on resource: {arn} with an explicit deny in a resource-based"
    world.wire.fail("sts:AssumeRole", "AccessDenied", f"{denied} policy", 403)
    with pytest.raises(BlockedByDeny, match="trust policy denies sts:AssumeRole"):
        world.accounts.reader(HOME)


def test_failure_is_not_cached(world: MotoWorld) -> None:
    world.close(HOME)
    with pytest.raises(AccountUnreachable):
        world.accounts.reader(HOME)
    world.wire.faults.clear()
    world.accounts.reader(HOME)


def test_credentials_are_shown_nowhere(world: MotoWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clients = world.accounts.writer(HOME, "r1", "{}")
    world.accounts.reader(HOME)
    # boto3 itself writes them when it logs at DEBUG.
    credentials = clients.iam._request_signer._credentials  # type: ignore[attr-defined]
    secrets = (credentials.secret_key, credentials.token)
    shown = "".join(
        [caplog.text, repr(world.accounts), repr(clients), repr(world.documents), str(vars(clients).keys())]
    )
    assert all(secret and secret not in shown for secret in secrets)


def test_every_call_is_bounded() -> None:
    config = vars(CLIENT_CONFIG)
    assert config["connect_timeout"] <= 5
    assert config["read_timeout"] <= 10
    assert config["retries"]["total_max_attempts"] <= 4


def test_laptop_keeps_one_session_per_account_and_writes_nothing(world: MotoWorld) -> None:
    accounts = ProfileAccounts({HOME: world.wire.session}.__getitem__)
    assert accounts.reader(HOME) is accounts.reader(HOME)
    with pytest.raises(AccountUnreachable, match="reading only"):
        accounts.writer(HOME, "r1", "{}")

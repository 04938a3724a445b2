"""Own writes are recognized by the run that their session claims."""

from copy import replace

import pytest

from ecr_warden.core.job import Actor
from ecr_warden.core.own_sessions import is_write_role, run_id_of, session_name

ACCOUNT = "222222222222"
OURS = Actor(
    "AssumedRole",
    arn="arn:aws:sts::222222222222:assumed-role/ecr-warden-write/ecrw-01jd8x",
    account="222222222222",
    issuer="arn:aws:iam::222222222222:role/ecr-warden/ecr-warden-write",
    session_name="ecrw-01jd8x",
    source_identity="ecrw-01jd8x",
)


def test_a_session_of_the_write_role_claims_its_run() -> None:
    assert run_id_of(OURS, account=ACCOUNT) == "01jd8x"
    assert run_id_of(replace(OURS, session_name=session_name("a-b"), source_identity=""), account=ACCOUNT) == "a-b"


@pytest.mark.parametrize(
    "actor",
    [
        pytest.param(replace(OURS, session_name="alice", source_identity=""), id="another session name"),
        pytest.param(replace(OURS, session_name="ecrw-", source_identity=""), id="an empty run id"),
        pytest.param(replace(OURS, session_name="ecrw-a/b", source_identity=""), id="an invalid run id"),
        pytest.param(replace(OURS, source_identity="mallory"), id="a source identity that contradicts"),
    ],
)
def test_the_write_role_without_a_run_is_an_intruder(actor: Actor) -> None:
    assert run_id_of(actor, account=ACCOUNT) is None
    assert is_write_role(actor, account=ACCOUNT)


@pytest.mark.parametrize(
    "actor",
    [
        pytest.param(replace(OURS, issuer="arn:aws:iam::222222222222:role/ecr-warden-write"), id="outside our path"),
        pytest.param(replace(OURS, issuer="arn:aws:iam::222222222222:role/x/ecr-warden/ecr-warden-write"), id="deeper"),
        pytest.param(
            replace(OURS, issuer="arn:aws:iam::999999999999:role/ecr-warden/ecr-warden-write"), id="another account"
        ),
        pytest.param(replace(OURS, issuer=""), id="no issuer"),
        pytest.param(replace(OURS, type="IAMUser"), id="not a session"),
        pytest.param(replace(OURS, type="AWSAccount", issuer=""), id="the copy of a call across accounts"),
    ],
)
def test_another_principal_with_our_session_name_is_not_ours(actor: Actor) -> None:
    assert not is_write_role(actor, account=ACCOUNT)
    assert run_id_of(actor, account=ACCOUNT) is None

"""What a laptop reads of whole accounts."""

import json
from typing import Any

import pytest

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden_cli.terminal.aws_sessions import open_session, whole_accounts
from ecr_warden_cli.terminal.context import NotEntered
from local.testing.memory.estate import MemoryEstateReader
from local.testing.seed import CI, HOME, allow, document
from tests.contracts.aws import Wire, moto

BY_TAG = {"StringEquals": {"aws:ResourceTag/team": "shop"}}
PULLER: dict[str, Any] = {
    "Arn": f"arn:aws:iam::{HOME}:user/anna",
    "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": document(allow("ecr:BatchGetImage", Condition=BY_TAG))}],
}
ASKING: dict[str, tuple[MemoryEstateReader, list[str]]] = {
    "nobody": (MemoryEstateReader(policies={f"{CI}/r": {"app": None}}), []),
    "a user of an account that is read later": (
        MemoryEstateReader(iam={HOME: {"UserDetailList": [PULLER]}}, policies={f"{CI}/r": {"app": None}}),
        [f"repository/{CI}/r/app"],
    ),
    "a repository for those of its registry": (
        MemoryEstateReader(policies={f"{CI}/r": {"app": None}, f"{HOME}/r": {"app": json.dumps(BY_TAG), "web": None}}),
        [f"repository/{HOME}/r/app", f"repository/{HOME}/r/web"],
    ),
}


@pytest.mark.parametrize("who", ASKING)
def test_tags_are_read_where_a_policy_asks_for_them(who: str) -> None:
    reader, targets = ASKING[who]
    list(whole_accounts(reader, [SpecAccount(account, account, ("r",)) for account in (CI, HOME)], all_tags=False))
    assert [one.removeprefix("tags of ") for one in reader.reads if one.startswith("tags")] == targets


@pytest.mark.parametrize(("partition", "cloud"), [("aws-us-gov", "AWS GovCloud (US)"), ("aws-cn", "AWS China")])
def test_credentials_of_another_cloud_are_refused_by_its_name(
    partition: str, cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto(monkeypatch):
        wire = Wire()
        caller = {"Account": CI, "Arn": f"arn:{partition}:iam::{CI}:user/anna"}
        wire.answer("sts:GetCallerIdentity", lambda _: caller)
        found = open_session(lambda: wire.session, "the profile gov does not work", "check it")
    assert isinstance(found, NotEntered)
    assert f"they are for {cloud}, which is not supported" in found.reason

"""What a laptop reads of whole accounts."""

import json
from typing import Any

import pytest

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden_cli.aws import whole_accounts
from local.testing.memory.estate import MemoryEstateReader
from local.testing.seed import CI, HOME, allow, document

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

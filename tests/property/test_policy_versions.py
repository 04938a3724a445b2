"""The hub leaves out versions of policies that nobody needs: the administrators are the same without them."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.administrators import Administrators, administrators
from ecr_warden.core.estate import Estate
from tests.snapshots import estate_from_text
from tests.unit.access.snapshots import HOME, allow, document, managed, of_pieces, snapshot, user

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ARN = f"arn:aws:iam::{HOME}:policy/shared"
ACTIONS = (
    *("iam:SetDefaultPolicyVersion", "iam:setdefault*", "iam:S*", "iam:*Version", "iam:?etDefaultPolicyVersion"),
    *("iam:CreatePolicyVersion", "iam:Create*", "iam:*", "*", "ecr:PutImage", "iam:ListPolicyVersions"),
)

statements = st.builds(
    lambda effect, element, actions, resource: {"Effect": effect, element: actions, "Resource": resource},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["Action", "Action", "NotAction"]),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2),
    st.sampled_from(["*", ARN, f"arn:aws:iam::{HOME}:policy/other"]),
)
attached: dict[str, Any] = {"AttachedManagedPolicies": [{"PolicyArn": ARN}]}


def found(estate: Estate) -> tuple[set[str], set[str], frozenset[str]]:
    """Who administers the account, in which way."""
    administer: Administrators = administrators(RepositoryGraph(estate), estate.accounts[HOME])
    return {*administer.iam}, {*administer.of_registries}, administer.unlimited


@given(
    mine=st.lists(statements, max_size=3),
    theirs=st.lists(statements, max_size=2),
    current=st.lists(statements, min_size=1, max_size=2),
    control=st.none() | st.lists(statements, min_size=1, max_size=2),
)
def test_the_administrators_are_the_same_without_the_versions_that_are_left_out(
    mine: list[Any], theirs: list[Any], current: list[Any], control: list[Any] | None
) -> None:
    shared = managed("shared", document(*current), document(allow("ecr:*")))
    made = snapshot(user("me", *mine, **attached), user("other", *theirs), policies=[shared])
    if control is not None:
        made["accounts"][HOME]["serviceControlPolicies"] = [[document(allow("*"), *control)]]
    whole, kept = estate_from_text(json.dumps(made), at=NOW), of_pieces(made, NOW)
    assert whole.accounts[HOME].versions
    event("left out" if not kept.accounts[HOME].versions else "kept")
    assert found(kept) == found(whole)

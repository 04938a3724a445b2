"""What AWS always prints and a snapshot lacks was not read: a no that it could change is unknown."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.codec.snapshot import estate_of
from ecr_warden_cli.access import can_i, find_subject, question, who_can
from iam_access.inventory.printed import ALWAYS, DETAILS, GROUP, MANAGED, ROLE, USER
from iam_access.who_can.decide import Answer
from tests.unit.access.snapshots import AWAY, HOME, Json, allow, document, managed, of_pieces, role, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ANN = f"arn:aws:iam::{HOME}:user/ann"
GROUPED, LIMIT = f"arn:aws:iam::{HOME}:group/dev", f"arn:aws:iam::{HOME}:policy/own"


def given() -> Json:
    """Ann of a group without rights, who has a policy that gives nothing and may assume a role that trusts nobody."""
    nobody = document({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"})
    has_own: Json = {"AttachedManagedPolicies": [{"PolicyArn": LIMIT, "PolicyName": "own"}]}
    return snapshot(
        user("ann", allow("sts:AssumeRole"), GroupList=["dev"], **has_own),
        role("weak", {"AWS": HOME}),
        role("strong", "*", allow("ecr:*"), AssumeRolePolicyDocument=nobody),
        groups=[{"Arn": GROUPED, "GroupName": "dev", "GroupPolicyList": [], "AttachedManagedPolicies": []}],
        policies=[managed("own", document(allow("s3:*")))],
    )


def first(key: str, arn: str = "") -> Callable[[Json], Any]:
    """The entry of a list that has this ARN, or the first one."""
    return lambda iam: next(one for one in iam[key] if arn in one["Arn"])


HOLDERS: dict[str, Callable[[Json], Any]] = {
    DETAILS: lambda iam: iam,
    USER: first("UserDetailList"),
    GROUP: first("GroupDetailList"),
    MANAGED: first("Policies"),
}
LACKING = [(kind, key) for kind, keys in ALWAYS.items() for key in keys]


def lacking(kind: str, key: str, *, null: bool) -> Json:
    found = given()
    role_name = "strong" if key == "AssumeRolePolicyDocument" else "weak"
    holder = (HOLDERS | {ROLE: first("RoleDetailList", role_name)})[kind](found["accounts"][HOME]["iam"])
    if null:
        holder[key] = None
    else:
        del holder[key]
    return found


def answer(given: Json, *, pieces: bool = False) -> Answer:
    """Whether Ann may delete images, or whether the list of those who may is whole."""
    estate = of_pieces(given, NOW) if pieces else estate_of(given, at=NOW)
    graph = RepositoryGraph(estate)
    asked = question(graph, "delete", "app")
    if ANN not in graph.subjects:
        found = who_can(graph, asked)
        return Answer.UNKNOWN if found.unread else Answer.NO
    return can_i(graph, find_subject(graph, ANN), asked).answer


def test_all_that_aws_prints_gives_a_no() -> None:
    assert answer(given()) is Answer.NO
    assert answer(given(), pieces=True) is Answer.NO


def test_of_a_user_without_inline_policies_aws_leaves_the_list_out() -> None:
    found = given()
    found["accounts"][HOME]["iam"]["UserDetailList"][0].pop("UserPolicyList")
    assert answer(found) is Answer.NO


UNUSABLE: dict[str, dict[str, Any]] = {
    "a group that is no text": {"GroupList": [7]},
    "an attached policy without its ARN": {"AttachedManagedPolicies": [{"PolicyName": "own"}]},
    "an inline policy without its document": {"UserPolicyList": [{"PolicyName": "own"}]},
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_entry_that_lacks_what_it_is_about_is_unknown(case: str) -> None:
    found = given()
    found["accounts"][HOME]["iam"]["UserDetailList"][0] |= UNUSABLE[case]
    assert answer(found) is Answer.UNKNOWN


@pytest.mark.parametrize("null", [False, True], ids=["left out", "null"])
@pytest.mark.parametrize(("kind", "key"), LACKING)
def test_what_lacks_is_unknown(kind: str, key: str, *, null: bool) -> None:
    found = lacking(kind, key, null=null)
    assert answer(found) is Answer.UNKNOWN
    assert answer(found, pieces=True) is Answer.UNKNOWN, "also in a piece that an earlier version kept"


def place(*keys: str) -> Callable[[Json], None]:
    """Leaves out what is under these keys of the registry."""

    def edit(registry: Json) -> None:
        holder: Any = registry
        for key in keys[:-1]:
            holder = holder[0] if key == "0" else holder[key]
        del holder[keys[-1]]

    return edit


OPEN = document({"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "ecr:*", "Resource": "*"})
REGISTRY: dict[str, tuple[Json, Callable[[Json], None]]] = {
    "the policy of a repository": ({}, place("repositories", "0", "policy")),
    "the registry policy": ({}, place("registryPolicy")),
    "what the registry policy governs": (
        {"registryPolicy": OPEN, "accountSettings": {"REGISTRY_POLICY_SCOPE": "V1"}},
        place("accountSettings"),
    ),
}


@pytest.mark.parametrize("case", REGISTRY)
def test_what_lacks_of_a_registry_is_unknown(case: str) -> None:
    more, edit = REGISTRY[case]
    found = given()
    registry = found["accounts"][HOME]["ecr"]["eu-central-1"]
    registry |= more
    assert answer(found) is Answer.NO
    edit(registry)
    assert answer(found) is Answer.UNKNOWN


COPIES: Json = {"rules": [{"destinations": [{"region": "eu-central-1", "registryId": AWAY}]}]}
UPSTREAM = {"ecrRepositoryPrefix": "docker-hub", "upstreamRegistryUrl": "registry-1.docker.io"}
LISTS: dict[str, tuple[str, str, Any, tuple[str, ...]]] = {
    "rules of replication": ("replication", "replicationConfiguration", COPIES, ("rules",)),
    "destinations of a rule": ("replication", "replicationConfiguration", COPIES, ("rules", "0", "destinations")),
    "the registry of a destination": (
        *("replication", "replicationConfiguration", COPIES),
        ("rules", "0", "destinations", "0", "registryId"),
    ),
    "the prefix of a template": ("templates", "creationTemplates", [{"prefix": "x"}], ("0", "prefix")),
    "what a cache pulls from": ("upstreams", "pullThroughCacheRules", [UPSTREAM], ("0", "upstreamRegistryUrl")),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_in_which_an_entry_lacks_something_was_not_read(case: str) -> None:
    name, key, value, path = LISTS[case]
    found = given()
    registry = found["accounts"][HOME]["ecr"]["eu-central-1"]
    registry[key] = deepcopy(value)
    assert getattr(estate_of(found, at=NOW).accounts[HOME].registries["eu-central-1"], name)
    place(key, *path)(registry)
    assert getattr(estate_of(found, at=NOW).accounts[HOME].registries["eu-central-1"], name) is None

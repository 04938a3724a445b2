"""Who may do what with which repository, by real calls with real credentials; each refusal has its allowed twin.

A call that comes through authorization may still fail for what it asks: nothing is changed by asking.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.audit import stored_estate
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.estate import Piece
from ecr_warden.core.actions import TOKEN
from iam_access.who_can.decide import Answer
from iam_access.who_can.subject import Subject
from local.aws.launcher import EmulatedAws
from local.demo.people import Somebody, existing
from local.demo.places import CI, LEGACY, OUTSIDE, PULL_USER, PUSH_USER, REGION, REGISTRY, REPOSITORY, ROLE
from local.testing.memory.estate import MemoryEstateStore
from local.testing.memory.hub import ManualClock
from tests.e2e.house import House
from tests.e2e.roles import push_session

ECR = "ecr"
_DENIED = ("AccessDenied", "AccessDeniedException")
_NO_IMAGE = [{"imageTag": "no-such-tag"}]
_DIGEST = "sha256:" + "0" * 64

CALLS: Mapping[str, Callable[[Any, dict[str, str]], object]] = {
    "BatchGetImage": lambda ecr, where: ecr.batch_get_image(**where, imageIds=_NO_IMAGE),
    "GetDownloadUrlForLayer": lambda ecr, where: ecr.get_download_url_for_layer(**where, layerDigest=_DIGEST),
    "BatchCheckLayerAvailability": lambda ecr, where: ecr.batch_check_layer_availability(
        **where, layerDigests=[_DIGEST]
    ),
    "InitiateLayerUpload": lambda ecr, where: ecr.initiate_layer_upload(**where),
    "UploadLayerPart": lambda ecr, where: ecr.upload_layer_part(
        **where, uploadId="none", partFirstByte=0, partLastByte=0, layerPartBlob=b"x"
    ),
    "CompleteLayerUpload": lambda ecr, where: ecr.complete_layer_upload(
        **where, uploadId="none", layerDigests=[_DIGEST]
    ),
    "PutImage": lambda ecr, where: ecr.put_image(**where, imageManifest='{"schemaVersion": 2}', imageTag="tried"),
    "DescribeImages": lambda ecr, where: ecr.describe_images(**where, imageIds=_NO_IMAGE),
    "BatchDeleteImage": lambda ecr, where: ecr.batch_delete_image(**where, imageIds=_NO_IMAGE),
    "SetRepositoryPolicy": lambda ecr, where: ecr.set_repository_policy(**where, policyText="{"),
    "GetRepositoryPolicy": lambda ecr, where: ecr.get_repository_policy(**where),
}
PULL = {"BatchGetImage", "GetDownloadUrlForLayer"}
PUSH = {
    *("BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "InitiateLayerUpload"),
    *("PutImage", "UploadLayerPart"),
}
EVERYTHING = {*CALLS}


@dataclass(frozen=True, slots=True)
class May:
    """What a principal may do with the repository that the file names, with another, and whether it gets a token."""

    here: set[str]
    elsewhere: set[str]
    logs_in: bool


NOTHING = May(set(), set(), logs_in=False)
MAY: Mapping[str, May] = {
    "push-user through the role": May(PUSH, set(), logs_in=True),
    "push-user": NOTHING,
    "pull-user-1": May(PULL, set(), logs_in=True),
    "pull-user-2": May(PULL, set(), logs_in=True),
    "carol": NOTHING,
    "outsider": NOTHING,
    "mallory, administrator of the registry": May(EVERYTHING, EVERYTHING, logs_in=True),
}
ENTERS = {"push-user": True, "pull-user-1": False, "pull-user-2": False, "carol": False, "outsider": False}


@pytest.fixture(scope="module")
def people(deployed: House) -> Mapping[str, Somebody]:
    """Everybody by name, with credentials."""
    deployed.settle()
    stage = deployed.stage
    users = {name: existing(stage.aws, CI, name) for name in (PUSH_USER, PULL_USER, "pull-user-2", "carol")}
    session = Somebody("push-user", "push-user in the role", REGISTRY, "*", push_session(deployed), stage.aws)
    return {
        **users,
        "push-user through the role": session,
        "outsider": stage.people.outsider,
        "mallory, administrator of the registry": stage.people.registry_admin,
    }


class Administrators:
    """Clients that may read everything in the accounts."""

    def __init__(self, aws: EmulatedAws) -> None:
        self._clients = {
            account: Administrator(aws.client(account, "iam"), aws.client(account, ECR))
            for account in (CI, REGISTRY, OUTSIDE)
        }

    def reader(self, account: str) -> "Administrator":
        return self._clients[account]

    def writer(self, account: str, run_id: str, session_policy: str) -> "Administrator":
        raise AssertionError("nothing is written")


@dataclass(frozen=True, slots=True)
class Administrator:
    """The clients of one account."""

    iam: Any
    in_region: Any

    @property
    def bulk_iam(self) -> Any:
        return self.iam

    def ecr(self, region: str) -> Any:
        assert region == REGION
        return self.in_region

    def of(self, service: str, region: str) -> Any:
        raise AssertionError(f"{service} in {region} is not needed")


@pytest.fixture(scope="module")
def graph(deployed: House, people: Mapping[str, Somebody]) -> RepositoryGraph:
    """What `can-i` answers from, read after everybody is there."""
    assert people
    reader = AwsEstateReader(Administrators(deployed.stage.aws))
    now = datetime.now(UTC)
    store = MemoryEstateStore(ManualClock(now))
    for account in (CI, REGISTRY, OUTSIDE):
        reading = reader.identities(account, {})
        for policy, text in reading.texts.items():
            store.put_text(policy, text)
        store.put(Piece(account, now, reading.entry))
    store.put(Piece(f"{REGISTRY}/{REGION}", now, reader.registry(REGISTRY, REGION, {}).entry))
    estate, broken, _ = stored_estate(store, store.kept(), now)
    assert not broken
    return RepositoryGraph(estate)


def subject_of(graph: RepositoryGraph, somebody: Somebody) -> Subject:
    return graph.subject(somebody.client("sts").get_caller_identity()["Arn"])


def allowed(call: Callable[[], object]) -> bool:
    """Whether authorization lets a call through."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] not in _DENIED
    return True


@pytest.mark.parametrize("principal", MAY)
@pytest.mark.parametrize("repository", [REPOSITORY, LEGACY])
def test_a_principal_may_do_what_the_file_says_and_nothing_else(
    people: Mapping[str, Somebody], principal: str, repository: str
) -> None:
    ecr = people[principal].client(ECR)
    where = {"registryId": REGISTRY, "repositoryName": repository}
    found = {name for name, call in CALLS.items() if allowed(lambda call=call: call(ecr, where))}  # type: ignore[misc]
    assert found == (MAY[principal].here if repository == REPOSITORY else MAY[principal].elsewhere)


@pytest.mark.parametrize("principal", MAY)
def test_who_may_log_in_to_a_registry(people: Mapping[str, Somebody], principal: str) -> None:
    assert allowed(people[principal].client(ECR).get_authorization_token) is MAY[principal].logs_in


@pytest.mark.parametrize("principal", ENTERS)
def test_who_may_enter_the_push_role(people: Mapping[str, Somebody], principal: str) -> None:
    sts = people[principal].client("sts")
    assert allowed(lambda: sts.assume_role(RoleArn=ROLE, RoleSessionName="x1")) is ENTERS[principal]


@pytest.mark.parametrize("principal", MAY)
@pytest.mark.parametrize("name", [REPOSITORY, LEGACY])
def test_can_i_says_what_authorization_lets_through(
    people: Mapping[str, Somebody], graph: RepositoryGraph, principal: str, name: str
) -> None:
    subject, may = subject_of(graph, people[principal]), MAY[principal]
    repository = graph.estate.accounts[REGISTRY].registries[REGION].repositories[name]
    answers = {call: graph.decide(subject, graph.permissions(f"ecr:{call}", repository)).answer for call in CALLS}
    found = {call for call, answer in answers.items() if answer is Answer.YES}
    assert found == (may.here if name == REPOSITORY else may.elsewhere)
    assert {*answers.values()} <= {Answer.YES, Answer.NO}
    token = graph.permissions(TOKEN, repository)
    assert graph.decide(subject, token).answer == (Answer.YES if may.logs_in else Answer.NO)


@pytest.mark.parametrize("principal", ENTERS)
def test_can_i_says_who_may_enter_the_push_role(
    people: Mapping[str, Somebody], graph: RepositoryGraph, principal: str
) -> None:
    answer = graph.may_assume(subject_of(graph, people[principal]), graph.subjects[ROLE]).answer
    assert answer is (Answer.YES if ENTERS[principal] else Answer.NO)


def test_each_refusal_has_its_allowed_twin() -> None:
    """Somebody is let through with the same action on the same repository."""
    for repositories in ([may.here for may in MAY.values()], [may.elsewhere for may in MAY.values()]):
        assert set[str]().union(*repositories) == EVERYTHING
    assert {may.logs_in for may in MAY.values()} == {True, False} == {*ENTERS.values()}
    by_the_file = [may.here for name, may in MAY.items() if not name.startswith("mallory")]
    assert set[str]().union(*by_the_file) == PUSH | PULL

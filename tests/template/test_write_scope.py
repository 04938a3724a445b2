"""The member stacks deployed to the emulator: each thing that the hub may not do, beside its sibling that it may."""

import json
from collections.abc import Callable, Iterator
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_warden.aws.accounts import HubAccounts
from ecr_warden.aws.system import SystemClock
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.estate import Needed
from ecr_warden.collect.observed import LiveEstate
from ecr_warden.core.address import identity_policy, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, TargetSpec
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.kinds import Operation
from ecr_warden.core.observed import Present
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.target import RoleTarget, UserTarget
from ecr_warden.repair.aws_documents import AwsDocuments
from ecr_warden.repair.write_scope import WriteScope, scope_of
from iam_access.document.document import parse_document
from local.aws.faults import Fail, Fault
from local.aws.launcher import EmulatedAws
from tests.template.cfn import ROOT

HUB, MEMBER, REGION = "111111111111", "222222222222", "eu-central-1"
EXTERNAL_ID = "hub-1"
BUS = f"arn:aws:events:{REGION}:{HUB}:event-bus/ecr-warden-trail"
BOUNDARY = f"arn:aws:iam::{MEMBER}:policy/ecr-warden/ecr-warden-boundary"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
OTHERS = "somebody-else"


def _document(action: str, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


ENTER = _document("sts:*", Resource="*")
PUSH = _document("ecr:PutImage", Resource="*")
OPEN_TO_HUB = _document("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})


@dataclass(frozen=True, slots=True)
class Member:
    """The emulator with the member stacks in place."""

    aws: EmulatedAws

    def enter(
        self, role: str, caller: str, external_id: str = EXTERNAL_ID, run: str = "", account: str = MEMBER
    ) -> Any:
        """The credentials of a member role, asked for by a role of the hub."""
        hub = self.aws.client(HUB, "sts").assume_role(
            RoleArn=f"arn:aws:iam::{HUB}:role/{caller}", RoleSessionName="function"
        )
        named = {"SourceIdentity": run} if run else {}
        return self.aws.assumed_client(hub["Credentials"], "sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/ecr-warden/{role}",
            RoleSessionName="ecrw-1",
            ExternalId=external_id,
            **named,
        )["Credentials"]

    def writer(self, service: str) -> Any:
        """A client of a write session as reconcile opens it."""
        return self.aws.assumed_client(self.enter("ecr-warden-write", "ecr-warden-reconcile", run="ecrw-1"), service)


def _create(aws: EmulatedAws, stack: str, region: str, account: str = MEMBER, **parameters: str) -> None:
    client = aws.client(account, "cloudformation", region)
    client.create_stack(
        StackName=stack,
        TemplateBody=(ROOT / "stacks" / f"{stack}.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})


@pytest.fixture(scope="module")
def member() -> Iterator[Member]:
    """Hub roles that may enter anything, so that the member's own side is what decides; two users, one managed."""
    with EmulatedAws() as aws:
        hub, iam = aws.client(HUB, "iam"), aws.client(MEMBER, "iam")
        for role in ("ecr-warden-reconcile", "ecr-warden-answer", OTHERS):
            hub.create_role(RoleName=role, AssumeRolePolicyDocument=OPEN_TO_HUB)
            hub.put_role_policy(RoleName=role, PolicyName="enter", PolicyDocument=ENTER)
        for user in ("owner", OTHERS):
            iam.create_user(UserName=user)
        for path, user in (("/ci/", "in-path"), ("/ci/eu/", "below-path"), ("/cicd/", "beside-path"), ("/", "third")):
            iam.create_user(UserName=user, Path=path)
        for path, role in (("/", "legacy-pusher"), ("/", OTHERS), ("/ci/", "in-path")):
            iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=OPEN_TO_HUB)
        _create(
            aws,
            "member",
            REGION,
            HubAccount=HUB,
            ExternalId=EXTERNAL_ID,
            HubBusArns=BUS,
            ManagedOwners=f"arn:aws:iam::{MEMBER}:user/owner",
            ManagedOwners2=f"arn:aws:iam::{MEMBER}:user/ci/*",
            ManagedOwners3="arn:aws:iam::*:user/third",
            ManagedRoles=f"arn:aws:iam::{MEMBER}:role/legacy-pusher",
        )
        aws.client(MEMBER, "ecr").create_repository(repositoryName="shop/checkout")
        yield Member(aws)


@pytest.fixture
def role(member: Member) -> Iterator[str]:
    """A push role as the product makes it."""
    name, iam = "ecr-pusher", member.aws.client(MEMBER, "iam")
    iam.create_role(
        RoleName=name, Path="/ecr-warden/", AssumeRolePolicyDocument=OPEN_TO_HUB, PermissionsBoundary=BOUNDARY
    )
    yield name
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


@pytest.fixture
def documents(member: Member) -> AwsDocuments:
    """The product's own adapter, with the credentials of the function reconcile."""
    hub = member.aws.client(HUB, "sts").assume_role(
        RoleArn=f"arn:aws:iam::{HUB}:role/ecr-warden-reconcile", RoleSessionName="function"
    )["Credentials"]
    session = boto3.Session(hub["AccessKeyId"], hub["SecretAccessKey"], hub["SessionToken"], REGION)
    here = SimpleNamespace(client=partial(session.client, endpoint_url=member.aws.endpoint_url))
    return AwsDocuments(HubAccounts(here, EXTERNAL_ID, SystemClock()))


def _refused(call: Callable[[], object]) -> bool:
    """Whether AWS denies the call. Any other error is the test's."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        return True
    return False


def test_reconcile_alone_enters_the_write_role_and_every_hub_function_the_read_role(member: Member) -> None:
    assert not _refused(lambda: member.enter("ecr-warden-write", "ecr-warden-reconcile", run="ecrw-1"))
    assert _refused(lambda: member.enter("ecr-warden-write", "ecr-warden-answer", run="ecrw-1"))
    assert not _refused(lambda: member.enter("ecr-warden-read", "ecr-warden-answer"))
    assert not _refused(lambda: member.enter("ecr-warden-read", "ecr-warden-reconcile"))
    assert _refused(lambda: member.enter("ecr-warden-read", OTHERS))


def test_without_the_hubs_external_id_nobody_enters(member: Member) -> None:
    assert _refused(lambda: member.enter("ecr-warden-read", "ecr-warden-answer", external_id="another"))
    assert _refused(
        lambda: member.enter("ecr-warden-write", "ecr-warden-reconcile", external_id="another", run="ecrw-1")
    )


def test_a_write_session_bears_the_id_of_a_run(member: Member) -> None:
    assert _refused(lambda: member.enter("ecr-warden-write", "ecr-warden-reconcile"))
    assert _refused(lambda: member.enter("ecr-warden-write", "ecr-warden-reconcile", run="somebody"))
    assert _refused(lambda: member.enter("ecr-warden-read", "ecr-warden-reconcile", run="ecrw-1"))


def test_a_push_role_is_made_under_our_path_with_the_boundary_only(member: Member) -> None:
    iam, aws = member.writer("iam"), member.aws.client(MEMBER, "iam")

    def create(**place: str) -> Callable[[], object]:
        return lambda: iam.create_role(RoleName="new", AssumeRolePolicyDocument=OPEN_TO_HUB, **place)

    assert _refused(create(Path="/ecr-warden/"))
    assert _refused(create(Path="/ecr-warden/", PermissionsBoundary=ADMINISTRATOR))
    assert _refused(create(Path="/", PermissionsBoundary=BOUNDARY))
    tagged = {"Tags": [{"Key": "ecr-warden", "Value": "1"}]}
    made = iam.create_role(
        RoleName="new",
        Path="/ecr-warden/",
        PermissionsBoundary=BOUNDARY,
        AssumeRolePolicyDocument=OPEN_TO_HUB,
        **tagged,
    )
    assert made["Role"]["Arn"] == f"arn:aws:iam::{MEMBER}:role/ecr-warden/new"
    iam.delete_role(RoleName="new")
    assert "new" not in {each["RoleName"] for each in aws.list_roles()["Roles"]}


def test_a_push_role_is_written_under_the_boundary_and_gets_no_managed_policy(member: Member, role: str) -> None:
    iam = member.writer("iam")
    iam.put_role_policy(RoleName=role, PolicyName="push", PolicyDocument=PUSH)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=OPEN_TO_HUB)
    iam.update_role(RoleName=role, MaxSessionDuration=3600)
    assert _refused(lambda: iam.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR))
    assert _refused(lambda: iam.delete_role_permissions_boundary(RoleName=role))


def test_while_the_boundary_is_off_only_removing_access_and_restoring_it_are_allowed(member: Member, role: str) -> None:
    iam, somebody = member.writer("iam"), member.aws.client(MEMBER, "iam")
    somebody.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=PUSH)
    somebody.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    somebody.delete_role_permissions_boundary(RoleName=role)
    assert _refused(lambda: iam.put_role_policy(RoleName=role, PolicyName="push", PolicyDocument=PUSH))
    assert _refused(lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=OPEN_TO_HUB))
    assert _refused(lambda: iam.update_role(RoleName=role, MaxSessionDuration=3600))
    assert _refused(lambda: iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=ADMINISTRATOR))
    iam.delete_role_policy(RoleName=role, PolicyName="more")
    iam.detach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=BOUNDARY)
    iam.put_role_policy(RoleName=role, PolicyName="push", PolicyDocument=PUSH)


def test_our_own_roles_in_the_account_cannot_be_written(member: Member) -> None:
    iam = member.writer("iam")
    for own in ("ecr-warden-read", "ecr-warden-write", "ecr-warden-forward"):

        def trust(name: str = own) -> object:
            return iam.update_assume_role_policy(RoleName=name, PolicyDocument=OPEN_TO_HUB)

        def grant(name: str = own) -> object:
            return iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=PUSH)

        def delete(name: str = own) -> object:
            return iam.delete_role(RoleName=name)

        assert [_refused(trust), _refused(grant), _refused(delete)] == [True, True, True]


def test_inline_policies_are_written_on_the_named_identities_only(member: Member) -> None:
    iam = member.writer("iam")
    iam.put_user_policy(UserName="owner", PolicyName="ecr-warden-assume", PolicyDocument=ENTER)
    iam.delete_user_policy(UserName="owner", PolicyName="ecr-warden-assume")
    assert _refused(lambda: iam.put_user_policy(UserName=OTHERS, PolicyName="ecr-warden-assume", PolicyDocument=ENTER))


@pytest.mark.parametrize(
    ("user", "written"),
    [
        ("owner", True),
        ("in-path", True),
        ("below-path", True),
        ("third", True),
        ("beside-path", False),
        (OTHERS, False),
    ],
)
def test_each_list_of_identities_and_a_path_cover_what_they_name(member: Member, user: str, written: bool) -> None:
    iam = member.writer("iam")
    put = {"UserName": user, "PolicyName": "ecr-warden-assume", "PolicyDocument": ENTER}
    assert _refused(lambda: iam.put_user_policy(**put)) is not written
    assert _refused(lambda: iam.get_user(UserName=user)) is not written
    if written:
        iam.delete_user_policy(UserName=user, PolicyName="ecr-warden-assume")


def test_the_lists_are_read_back_by_the_read_role(member: Member) -> None:
    found = _scope(member, MEMBER)
    assert found.lists == {
        "ManagedOwners": (f"arn:aws:iam::{MEMBER}:user/owner",),
        "ManagedOwners2": (f"arn:aws:iam::{MEMBER}:user/ci/*",),
        "ManagedOwners3": ("arn:aws:iam::*:user/third",),
        "ManagedRoles": (f"arn:aws:iam::{MEMBER}:role/legacy-pusher",),
    }
    assert found.arns[UserTarget(MEMBER, "below-path").key] == f"arn:aws:iam::{MEMBER}:user/ci/eu/below-path"


def _scope(member: Member, account: str) -> WriteScope:
    credentials = member.enter("ecr-warden-read", "ecr-warden-answer", account=account)
    iam = member.aws.assumed_client(credentials, "iam")
    clients = SimpleNamespace(iam=iam, bulk_iam=iam)
    reader = AwsEstateReader(SimpleNamespace(reader=lambda _account: clients))
    live = LiveEstate.of(dict(reader.some(Needed((account,)))), datetime.now(UTC))
    return scope_of(live.estate.accounts[account])


@pytest.mark.parametrize(
    ("account", "writes", "own_boundary"), [("333333333333", "none", "true"), ("444444444444", "identities", "false")]
)
def test_an_account_in_which_less_may_be_written_has_no_right_to_more(
    member: Member, account: str, writes: str, own_boundary: str
) -> None:
    iam = member.aws.client(account, "iam")
    iam.create_user(UserName="in-path", Path="/ci/")
    member.aws.client(account, "ecr").create_repository(repositoryName="shop/checkout")
    given = {"HubAccount": HUB, "ExternalId": EXTERNAL_ID, "ManagedOwners": "arn:aws:iam::*:user/ci/*"}
    _create(member.aws, "member", REGION, account, **given, Writes=writes, OwnBoundary=own_boundary)
    policies = {one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]}
    assert policies == {*(["ecr-warden-boundary"] if own_boundary == "true" else ["ecr-warden-owners"])}
    if writes == "none":
        assert "ecr-warden-write" not in {one["RoleName"] for one in iam.list_roles()["Roles"]}
        assert _scope(member, account).lists == {"Writes": ("none",)}
        return
    assert _scope(member, account).lists == {"Writes": ("identities",), "ManagedOwners": (given["ManagedOwners"],)}
    entered = member.enter("ecr-warden-write", "ecr-warden-reconcile", run="ecrw-1", account=account)
    writer, ecr = member.aws.assumed_client(entered, "iam"), member.aws.assumed_client(entered, "ecr")
    writer.put_user_policy(UserName="in-path", PolicyName="ecr-warden-assume", PolicyDocument=ENTER)
    place = {"Path": "/ecr-warden/", "PermissionsBoundary": BOUNDARY.replace(MEMBER, account)}
    refused: dict[str, Callable[[], object]] = {
        "a repository": lambda: ecr.delete_repository_policy(repositoryName="shop/checkout"),
        "a push role": lambda: writer.create_role(RoleName="new", AssumeRolePolicyDocument=OPEN_TO_HUB, **place),
    }
    assert {name: _refused(call) for name, call in refused.items()} == dict.fromkeys(refused, True)


def test_a_path_of_users_covers_no_role_in_it(member: Member) -> None:
    iam = member.writer("iam")
    assert _refused(lambda: iam.put_role_policy(RoleName="in-path", PolicyName="push", PolicyDocument=PUSH))


def test_roles_outside_our_path_are_written_if_named_only(member: Member) -> None:
    iam = member.writer("iam")
    iam.update_assume_role_policy(RoleName="legacy-pusher", PolicyDocument=OPEN_TO_HUB)
    iam.put_role_policy(RoleName="legacy-pusher", PolicyName="push", PolicyDocument=PUSH)
    assert _refused(lambda: iam.update_assume_role_policy(RoleName=OTHERS, PolicyDocument=OPEN_TO_HUB))
    assert _refused(lambda: iam.put_role_policy(RoleName=OTHERS, PolicyName="push", PolicyDocument=PUSH))


def test_repository_policies_are_written_and_repositories_are_not(member: Member) -> None:
    ecr = member.writer("ecr")
    text = _document("ecr:BatchGetImage", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})
    ecr.set_repository_policy(repositoryName="shop/checkout", policyText=text)
    ecr.delete_repository_policy(repositoryName="shop/checkout")
    assert _refused(lambda: ecr.create_repository(repositoryName="new"))
    assert _refused(lambda: ecr.delete_repository(repositoryName="shop/checkout"))


def test_the_read_role_reads_and_does_not_write(member: Member) -> None:
    credentials = member.enter("ecr-warden-read", "ecr-warden-answer")
    iam, ecr = (member.aws.assumed_client(credentials, service) for service in ("iam", "ecr"))
    assert ecr.describe_repositories()["repositories"][0]["repositoryName"] == "shop/checkout"
    assert iam.get_user(UserName=OTHERS)["User"]["UserName"] == OTHERS
    assert iam.get_role(RoleName=OTHERS)["Role"]["RoleName"] == OTHERS
    assert _refused(lambda: iam.put_user_policy(UserName="owner", PolicyName="p", PolicyDocument=ENTER))
    assert _refused(lambda: ecr.delete_repository_policy(repositoryName="shop/checkout"))
    assert _refused(ecr.get_authorization_token)
    assert _refused(lambda: ecr.batch_get_image(repositoryName="shop/checkout", imageIds=[{"imageTag": "v1"}]))
    sts = member.aws.assumed_client(credentials, "sts")
    assert _refused(
        lambda: sts.assume_role(
            RoleArn=f"arn:aws:iam::{MEMBER}:role/ecr-warden/ecr-warden-write",
            RoleSessionName="ecrw-1",
            ExternalId=EXTERNAL_ID,
            SourceIdentity="ecrw-1",
        )
    )


@pytest.mark.parametrize("role", ["ecr-warden-read", "ecr-warden-write", "ecr-warden-forward"])
def test_an_administrator_of_the_member_enters_a_role_of_its_own_and_none_of_ours(member: Member, role: str) -> None:
    iam = member.aws.client(MEMBER, "iam")
    iam.create_user(UserName=f"administrator-{role}")
    everything = _document("*", Resource="*")
    iam.put_user_policy(UserName=f"administrator-{role}", PolicyName="everything", PolicyDocument=everything)
    sts = member.aws.user_client(MEMBER, f"administrator-{role}", "sts")

    def enter(name: str, **more: str) -> Callable[[], object]:
        arn = f"arn:aws:iam::{MEMBER}:role/{name}"
        return lambda: sts.assume_role(RoleArn=arn, RoleSessionName="ecrw-1", **more)

    assert _refused(enter(f"ecr-warden/{role}", ExternalId=EXTERNAL_ID))
    assert _refused(enter(f"ecr-warden/{role}", ExternalId=EXTERNAL_ID, SourceIdentity="ecrw-1"))
    open_to_own = OPEN_TO_HUB.replace(HUB, MEMBER)
    iam.create_role(RoleName=f"open-{role}", AssumeRolePolicyDocument=open_to_own)
    assert not _refused(enter(f"open-{role}"))


def test_a_stolen_write_session_can_make_the_changes_of_its_plan_and_nothing_else(
    member: Member, documents: AwsDocuments, role: str
) -> None:
    owner = UserTarget(MEMBER, "owner")
    change = Change(Operation.CREATE, identity_policy(owner, "ecr-warden-pull"), None, None, parse_document(PUSH))
    [session] = documents.writer(Plan(owner, "v1", changes=(change,)), "r1").sessions
    iam, ecr = session.clients.iam, session.clients.ecr(REGION)
    # IAM limits neither the name nor the content of an inline policy.
    iam.put_user_policy(UserName="owner", PolicyName="anything", PolicyDocument=_document("*", Resource="*"))
    attempts: dict[str, Callable[[], object]] = {
        "remove the policy": lambda: iam.delete_user_policy(UserName="owner", PolicyName="anything"),
        "read the user": lambda: iam.get_user(UserName="owner"),
        "write another user of the list": lambda: iam.put_user_policy(
            UserName="third", PolicyName="anything", PolicyDocument=PUSH
        ),
        "write a push role": lambda: iam.put_role_policy(RoleName=role, PolicyName="anything", PolicyDocument=PUSH),
        "open a push role": lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=OPEN_TO_HUB),
        "make a role": lambda: iam.create_role(
            RoleName="new", Path="/ecr-warden/", AssumeRolePolicyDocument=OPEN_TO_HUB, PermissionsBoundary=BOUNDARY
        ),
        "delete a repository policy": lambda: ecr.delete_repository_policy(repositoryName="shop/checkout"),
        "read a repository policy": lambda: ecr.get_repository_policy(repositoryName="shop/checkout"),
        "make an access key": lambda: iam.create_access_key(UserName="owner"),
        "attach a policy": lambda: iam.attach_user_policy(UserName="owner", PolicyArn=ADMINISTRATOR),
    }
    assert {name: _refused(attempt) for name, attempt in attempts.items()} == dict.fromkeys(attempts, True)
    # The role itself may do more, and does where a plan says so.
    whole = member.writer("iam")
    whole.delete_user_policy(UserName="owner", PolicyName="anything")
    whole.get_user(UserName="owner")
    whole.put_role_policy(RoleName=role, PolicyName="anything", PolicyDocument=PUSH)


EVERYWHERE = ("ecr-warden-forward-images", "ecr-warden-forward-own", "ecr-warden-heartbeat")


@pytest.mark.parametrize(
    ("region", "rules"),
    [
        ("us-east-1", ["ecr-warden-forward-ecr", "ecr-warden-forward-iam", *EVERYWHERE]),
        ("eu-west-1", ["ecr-warden-forward-ecr", *EVERYWHERE]),
    ],
)
def test_the_events_stack_is_deployed_to_several_regions_and_forwards_iam_from_one(
    member: Member, region: str, rules: list[str]
) -> None:
    _create(member.aws, "events", region, HubBusArn=BUS)
    found = member.aws.client(MEMBER, "events", region).list_rules()["Rules"]
    assert sorted(rule["Name"] for rule in found) == rules


def test_a_plan_split_by_sts_is_written_and_neither_session_can_make_the_change_of_the_other(
    member: Member, documents: AwsDocuments, role: str
) -> None:
    target = RoleTarget(MEMBER, role)
    trust, push = trust_policy(target), identity_policy(target, "ecr-warden-push")
    nobody = OPEN_TO_HUB.replace(HUB, MEMBER)
    live = documents.read(TargetSpec(target, Extent.WHOLE, {trust: MustNotExist()})).documents[trust]
    assert isinstance(live, Present)
    changes = (
        Change(Operation.UPDATE, trust, None, live.digest, parse_document(nobody)),
        Change(Operation.CREATE, push, None, None, parse_document(PUSH)),
    )
    member.aws.add_fault(Fault("sts", "AssumeRole", Fail("PackedPolicyTooLarge"), principal="*/ecr-warden-reconcile/*"))
    mark = member.aws.mark()
    writer = documents.writer(Plan(target, "v1", changes=changes), "r1")
    member.aws.clear_faults()
    assert [call.error for call in member.aws.calls(mark) if call.action == "AssumeRole"] == [
        "PackedPolicyTooLarge",
        "",
        "",
    ]
    first, second = writer.sessions
    crossed = replace(writer, sessions=(replace(first, changes=second.changes), replace(second, changes=first.changes)))
    for change in changes:
        with pytest.raises(PermissionMissing):
            crossed.write(change)
    for change in changes:
        writer.write(change)
    iam = member.aws.client(MEMBER, "iam")
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == json.loads(nobody)
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["ecr-warden-push"]

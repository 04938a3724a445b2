"""The accounts as somebody else sees and changes them: in memory, and on moto."""

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from moto.backends import get_backend

from ecr_warden.aws.accounts import HubAccounts, SessionClients
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.estate import Needed
from ecr_warden.collect.observed import LiveEstate, ReadAccounts
from ecr_warden.core.address import Address, AddressKind, role, trust_policy
from ecr_warden.core.desired import RepositoryPattern, RoleSettings, TargetSpec
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing
from ecr_warden.core.observed import Unparseable
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget, target_arn
from ecr_warden.repair.aws_documents import AwsDocuments
from ecr_warden.repair.documents import all_identities
from iam_access.document.document import Document
from local.aws.realistic_moto import RealisticMoto
from local.testing.memory.documents import MemoryDocuments
from local.testing.memory.estate import LiveEstateReader
from local.testing.memory.hub import ManualClock
from local.testing.seed import ACCEPTED, CHECKOUT, CI, HOME, NOW, USERS
from tests.contracts.aws import Wire, new_session

TAGS = [{"Key": "ecr-warden", "Value": "managed"}]


@dataclass(slots=True)
class MemoryWorld:
    """In memory; in both, somebody has every right in every account."""

    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    closed: set[str] = field(default_factory=set)
    lists_owners: bool = True

    def __post_init__(self) -> None:
        self.documents.faults = self._refuse

    @property
    def reader(self) -> LiveEstateReader:
        return LiveEstateReader(self.documents)

    def _refuse(self, target: Target, change: Change | None) -> None:
        if target.account in self.closed:
            raise AccountUnreachable(f"no way into {target.account}", remedy="open it")
        if target == all_identities(target.account) and not self.lists_owners:
            raise PermissionMissing("listing users and roles is denied", remedy="allow it")

    def make(self, target: RepositoryTarget | UserTarget) -> None:
        self.documents.make(target)

    def make_role(self, target: RoleTarget, settings: RoleSettings, trust: Document, *, tagged: bool) -> None:
        self.documents.put(role(target), settings)
        self.documents.put(trust_policy(target), trust)
        if tagged:
            self.documents.tagged.add(target)

    def put(self, address: Address, document: Document) -> None:
        self.documents.put(address, document)

    def tag(self, target: Target, key: str, value: str) -> None:
        self.documents.others_tags.setdefault(target, {})[key] = value

    def corrupt(self, address: Address, text: str) -> None:
        """Have AWS store a text that it would not take today."""
        self.documents.live[address] = Unparseable("not understood", text, hashlib.sha256(text.encode()).hexdigest())

    def attach(self, address: Address) -> None:
        self.documents.put(address, None)

    def remove(self, address: Address) -> None:
        self.documents.remove(address)

    def remove_owner(self, target: Target) -> None:
        """With all that it holds."""
        self.documents.unmake(target)

    def close(self, account: str) -> None:
        """Let ecr-warden into an account no more."""
        self.closed.add(account)

    def hide_owners(self) -> None:
        """Let ecr-warden list users and roles no more, in any account."""
        self.lists_owners = False


@dataclass
class MotoWorld:
    """Somebody's calls go through other sessions than the adapter's, whose calls `wire` records."""

    hook: Callable[[boto3.Session], None] = field(default=lambda _: None)
    wire: Wire = field(default_factory=Wire)
    clock: ManualClock = field(default_factory=ManualClock)
    _clients: dict[str, SessionClients] = field(default_factory=dict)

    @cached_property
    def accounts(self) -> HubAccounts:
        return HubAccounts(self.wire.session, "external-id", self.clock)

    @cached_property
    def documents(self) -> AwsDocuments:
        return AwsDocuments(self.accounts)

    @cached_property
    def reader(self) -> AwsEstateReader:
        return AwsEstateReader(self.accounts, sleep=lambda _seconds: None)

    def make(self, target: RepositoryTarget | UserTarget) -> None:
        if isinstance(target, UserTarget):
            self._of(target.account).iam.create_user(UserName=target.name)
        else:
            self._of(target.account).ecr(target.region).create_repository(repositoryName=target.name)

    def make_role(self, target: RoleTarget, settings: RoleSettings, trust: Document, *, tagged: bool) -> None:
        boundary: dict[str, Any] = {"PermissionsBoundary": settings.boundary} if settings.boundary else {}
        self._of(target.account).iam.create_role(
            RoleName=target.name,
            Path=settings.path,
            MaxSessionDuration=settings.max_session_duration,
            AssumeRolePolicyDocument=trust.text,
            Tags=TAGS if tagged else [],  # type: ignore[arg-type]
            **boundary,
        )

    def put(self, address: Address, document: Document) -> None:
        iam = self._of(address.target.account).iam
        match address.target, address.kind:
            case RepositoryTarget(account, region, name), _:
                ecr = self._of(account).ecr(region)
                ecr.set_repository_policy(repositoryName=name, policyText=document.text)
            case RoleTarget(name=name), AddressKind.TRUST_POLICY:
                iam.update_assume_role_policy(RoleName=name, PolicyDocument=document.text)
            case RoleTarget(name=name), _:
                iam.put_role_policy(RoleName=name, PolicyName=address.name, PolicyDocument=document.text)
            case UserTarget(name=name), _:
                iam.put_user_policy(UserName=name, PolicyName=address.name, PolicyDocument=document.text)

    def tag(self, target: Target, key: str, value: str) -> None:
        clients, tags = self._of(target.account), [{"Key": key, "Value": value}]
        match target:
            case RepositoryTarget():
                clients.ecr(target.region).tag_resource(resourceArn=target_arn(target), tags=tags)  # type: ignore[arg-type]
            case RoleTarget(name=name):
                clients.iam.tag_role(RoleName=name, Tags=tags)  # type: ignore[arg-type]
            case UserTarget(name=name):
                clients.iam.tag_user(UserName=name, Tags=tags)  # type: ignore[arg-type]

    def corrupt(self, address: Address, text: str) -> None:
        iam = get_backend("iam")[address.target.account]["aws"]
        match address.target, address.kind:
            case RepositoryTarget(account, region, name), _:
                get_backend("ecr")[account][region].repositories[name].policy = text
            case RoleTarget(name=name), AddressKind.TRUST_POLICY:
                iam.get_role(name).assume_role_policy_document = text
            case RoleTarget(name=name), _:
                iam.get_role(name).policies[address.name] = text
            case UserTarget(name=name), _:
                iam.users[name].policies[address.name] = text

    def attach(self, address: Address) -> None:
        self.make_policy(address.name)
        iam = self._of(address.target.account).iam
        if isinstance(address.target, UserTarget):
            iam.attach_user_policy(UserName=address.target.name, PolicyArn=address.name)
        else:
            iam.attach_role_policy(RoleName=address.target.name, PolicyArn=address.name)

    def iam(self, account: str) -> Any:
        """Somebody's own client."""
        return self._of(account).iam

    def ecr(self, account: str, region: str) -> Any:
        """Somebody's own client."""
        return self._of(account).ecr(region)

    def make_policy(self, arn: str) -> None:
        """Make a managed policy, to be attached or a boundary."""
        _, _, _, _, account, resource = arn.split(":")
        path, _, name = resource.removeprefix("policy").rpartition("/")
        document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
        self._of(account).iam.create_policy(PolicyName=name, Path=f"{path}/", PolicyDocument=document)

    def remove(self, address: Address) -> None:
        iam = self._of(address.target.account).iam
        match address.target, address.kind:
            case RepositoryTarget(account, region, name), _:
                self._of(account).ecr(region).delete_repository_policy(repositoryName=name)
            case RoleTarget(name=name), AddressKind.ATTACHED_POLICY:
                iam.detach_role_policy(RoleName=name, PolicyArn=address.name)
            case RoleTarget(name=name), _:
                iam.delete_role_policy(RoleName=name, PolicyName=address.name)
            case UserTarget(name=name), AddressKind.ATTACHED_POLICY:
                iam.detach_user_policy(UserName=name, PolicyArn=address.name)
            case UserTarget(name=name), _:
                iam.delete_user_policy(UserName=name, PolicyName=address.name)

    def remove_owner(self, target: Target) -> None:
        clients = self._of(target.account)
        match target:
            case RepositoryTarget():
                clients.ecr(target.region).delete_repository(repositoryName=target.name, force=True)
            case RoleTarget(name=name):
                for policy in clients.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                    clients.iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
                for inline in clients.iam.list_role_policies(RoleName=name)["PolicyNames"]:
                    clients.iam.delete_role_policy(RoleName=name, PolicyName=inline)
                clients.iam.delete_role(RoleName=name)
            case UserTarget(name=name):
                for inline in clients.iam.list_user_policies(UserName=name)["PolicyNames"]:
                    clients.iam.delete_user_policy(UserName=name, PolicyName=inline)
                clients.iam.delete_user(UserName=name)

    def close(self, account: str) -> None:
        denied = ("AccessDenied", f"not authorized to perform: sts:AssumeRole in {account}", 403)
        self.wire.faults["sts:AssumeRole"] = lambda call: (
            denied if f":{account}:" in call.parameters["RoleArn"] else None
        )

    def hide_owners(self) -> None:
        self.wire.fail("iam:ListRoles", "AccessDenied", "not authorized to perform: iam:ListRoles", 403)

    def _of(self, account: str) -> SessionClients:
        if account not in self._clients:
            session = new_session()
            self.hook(session)
            given = session.client("sts", "us-east-1").assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/somebody", RoleSessionName="somebody"
            )["Credentials"]
            credentials = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
            self._clients[account] = SessionClients(session, credentials)
        return self._clients[account]


class RealisticWorld(MotoWorld):
    """moto with AWS's behaviour on documents; every principal that a document names exists before it is written."""

    def __init__(self) -> None:
        self.moto = RealisticMoto()
        super().__init__(self.moto.hook)
        self.hook(self.wire.session)
        for name in ("mallory", "pull-user-1"):
            self._ensure(f"arn:aws:iam::111111111111:user/{name}")

    def make(self, target: RepositoryTarget | UserTarget) -> None:
        """As elsewhere; a user that a document named is there already."""
        if not (isinstance(target, UserTarget) and self.moto.accounts.entity(target.account, "user", target.name)):
            super().make(target)

    def make_role(self, target: RoleTarget, settings: RoleSettings, trust: Document, *, tagged: bool) -> None:
        self._ensure_named(trust)
        super().make_role(target, settings, trust, tagged=tagged)

    def put(self, address: Address, document: Document) -> None:
        self._ensure_named(document)
        super().put(address, document)

    def _ensure_named(self, document: Document) -> None:
        for arn in re.findall(r"arn:aws:iam::\d{12}:user/[\w-]+", document.text):
            self._ensure(arn)

    def _ensure(self, arn: str) -> None:
        account, name = arn.split(":")[4], arn.rsplit("/", 1)[-1]
        if self.moto.accounts.unique_id(arn) is None:
            self._of(account).iam.create_user(UserName=name)


type World = MemoryWorld | MotoWorld


def read_of(
    world: World,
    specs: Collection[TargetSpec] = (),
    patterns: Sequence[RepositoryPattern] = (),
    *,
    accounts: Collection[str] = (CI, HOME),
) -> ReadAccounts:
    """What a plan of these reads; of the users and roles all, if there is none."""
    repositories = [spec.target for spec in specs if isinstance(spec.target, RepositoryTarget)]
    asked = Needed(accounts, repositories, patterns, accounts, {spec.target.key for spec in specs} or None)
    return ReadAccounts(LiveEstate.of(dict(world.reader.some(asked)), NOW))


def make_targets(world: World) -> None:
    """The repository and the users, without any document."""
    for target in (CHECKOUT, *USERS):
        world.make(target)


def make_in_sync(world: World) -> None:
    """Everything as the seed's spec says."""
    make_targets(world)
    for spec in ACCEPTED.targets.values():
        for address, value in spec.documents.items():
            match value:
                case RoleSettings():
                    assert isinstance(spec.target, RoleTarget)
                    trust = spec.documents[trust_policy(spec.target)]
                    assert isinstance(trust, Document)
                    world.make_role(spec.target, value, trust, tagged=True)
                case Document() if address.kind is not AddressKind.TRUST_POLICY:
                    world.put(address, value)

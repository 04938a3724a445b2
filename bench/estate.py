"""Two accounts with N repositories, the four documents of each in sync except for a few that somebody changed."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.address import Address, AddressKind, repository_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec, RoleSettings, TargetSpec
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from iam_access.document.document import Document
from local.aws.deploy import Place, create
from local.aws.launcher import ROOT, EmulatedAws
from local.testing.installed import EXTERNAL_ID, HUB, MEMBER, REGION

GROUP = 20  # repositories that the same three users pull from
_PLANTERS = 8
_HUB_ROLE = "ecr-warden-reconcile"
_OUTSIDER = "arn:aws:iam::999999999999:root"


def spec_text(number: int) -> str:
    """A repository with its pullers, a push role and who pushes, `number` times, as people write it."""
    lines = [
        "version: 1",
        "settings: {mode: enforce}",
        "accounts:",
        f'  ci: {{id: "{HUB}"}}',
        f'  registry: {{id: "{MEMBER}", regions: [{REGION}]}}',
        "repositories:",
    ]
    for index in range(number):
        readers = ", ".join(f"ci:user/reader-{index // GROUP:02}-{reader}" for reader in "abc")
        lines += [
            f"  - name: team-{index // GROUP:02}/service-{index:04}",
            "    account: registry",
            f"    pull: [{readers}]",
            "    push:",
            f"      - {{role: pusher-{index:04}, by: [ci:user/builder-{index:04}]}}",
        ]
    return "\n".join(lines) + "\n"


def spec_of(number: int) -> CompiledSpec:
    """A repository policy, a push role with two documents and its user's document, `number` times, and the pullers'."""
    match load_spec(spec_text(number).encode(), version=f"bench-{number}", now=datetime.now(UTC)):
        case Valid(compiled=compiled):
            return compiled
        case refused:
            raise ValueError(f"the bench's own file is not valid: {refused.problems[0]}")


@dataclass(slots=True)
class Estate:
    """The accounts as they grow; nothing is created twice."""

    aws: EmulatedAws
    standing: set[str] = field(default_factory=set)

    def prepare(self) -> dict[str, str]:
        """The member stacks and the hub's role; returns variables with a session of that role."""
        trust = _allow("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})
        iam = self.aws.client(HUB, "iam")
        iam.create_role(RoleName=_HUB_ROLE, AssumeRolePolicyDocument=trust)
        enter = _allow("sts:AssumeRole", Resource="arn:aws:iam::*:role/ecr-warden/ecr-warden-read")
        iam.put_role_policy(RoleName=_HUB_ROLE, PolicyName="enter", PolicyDocument=enter)
        for account in (HUB, MEMBER):
            parameters = {"HubAccount": HUB, "ExternalId": EXTERNAL_ID}
            create(self.aws, Place(account, REGION, "member"), ROOT / "stacks" / "member.yaml", parameters)
        given = self.aws.client(HUB, "sts").assume_role(
            RoleArn=f"arn:aws:iam::{HUB}:role/{_HUB_ROLE}", RoleSessionName="bench"
        )["Credentials"]
        return {
            **self.aws.environment(HUB, REGION),
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def grow(self, spec: CompiledSpec) -> None:
        """Create what the spec says and does not exist yet."""
        new = [target for key, target in spec.targets.items() if key not in self.standing]
        with ThreadPoolExecutor(_PLANTERS) as pool:
            # A document's principals have to be there before it.
            for kinds in (UserTarget, RoleTarget, RepositoryTarget):
                list(pool.map(self._plant, [one for one in new if isinstance(one.target, kinds)]))
        self.standing.update(spec.targets)

    def tampered(self, spec: CompiledSpec) -> list[str]:
        """Have somebody change one document of each kind; returns the targets that differ now."""
        return sorted({self._tamper(target).key for target in _one_of_each_kind(spec)})

    def mend(self, spec: CompiledSpec) -> None:
        """Undo the changes."""
        for target in _one_of_each_kind(spec):
            for address, document in _documents(target):
                self._put(address, document.text)

    def _plant(self, spec: TargetSpec) -> None:
        documents = dict(_documents(spec))
        match spec.target:
            case RepositoryTarget(account, region, name):
                self.aws.client(account, "ecr", region).create_repository(repositoryName=name)
            case UserTarget(account, name):
                self.aws.client(account, "iam").create_user(UserName=name)
            case RoleTarget(account, name) as target:
                settings = next(one for one in spec.documents.values() if isinstance(one, RoleSettings))
                more = {"PermissionsBoundary": settings.boundary} if settings.boundary else {}
                self.aws.client(account, "iam").create_role(
                    RoleName=name,
                    Path=settings.path,
                    MaxSessionDuration=settings.max_session_duration,
                    AssumeRolePolicyDocument=documents.pop(trust_policy(target)).text,
                    **more,
                )
        for address, document in documents.items():
            self._put(address, document.text)

    def _put(self, address: Address, text: str) -> None:
        match address.target, address.kind:
            case RepositoryTarget(account, region, name), _:
                self.aws.client(account, "ecr", region).set_repository_policy(repositoryName=name, policyText=text)
            case RoleTarget(account, name), AddressKind.TRUST_POLICY:
                self.aws.client(account, "iam").update_assume_role_policy(RoleName=name, PolicyDocument=text)
            case RoleTarget(account, name), _:
                self.aws.client(account, "iam").put_role_policy(
                    RoleName=name, PolicyName=address.name, PolicyDocument=text
                )
            case UserTarget(account, name), _:
                self.aws.client(account, "iam").put_user_policy(
                    UserName=name, PolicyName=address.name, PolicyDocument=text
                )

    def _tamper(self, spec: TargetSpec) -> Target:
        address, document = next(_documents(spec))
        changed: Any = json.loads(document.text)
        statement = changed["Statement"][0]
        if address.kind is AddressKind.IDENTITY_POLICY:
            statement["Action"] = ["ecr:DescribeImages"]
        else:
            statement["Principal"] = {"AWS": _OUTSIDER}
        self._put(address, json.dumps(changed))
        return spec.target


def _one_of_each_kind(spec: CompiledSpec) -> Iterator[TargetSpec]:
    for kind in (RepositoryTarget, RoleTarget, UserTarget):
        yield next(one for one in spec.targets.values() if isinstance(one.target, kind))


def _documents(spec: TargetSpec) -> Iterator[tuple[Address, Document]]:
    """The trust policy and the repository policy first."""
    found = [(address, value) for address, value in spec.documents.items() if isinstance(value, Document)]
    first = {trust_policy(spec.target)} if isinstance(spec.target, RoleTarget) else set[Address]()
    if isinstance(spec.target, RepositoryTarget):
        first = {repository_policy(spec.target)}
    yield from sorted(found, key=lambda one: one[0] not in first)


def _allow(action: str, **more: Mapping[str, str] | str) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

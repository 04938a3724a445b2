"""The ports of the estate in memory: accounts that are read, and the pieces that are kept of them."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy, replace
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ecr_warden.collect.estate import KnownOfAws, Needed, Piece, Reading, ReportedCall, StoredPiece
from ecr_warden.collect.observed import LiveEstate
from ecr_warden.core.address import TAG_KEY, TAG_VALUE, Address, AddressKind, repository_policy, role, trust_policy
from ecr_warden.core.codec.accounts import LIST_CALL, POLICY_CALL, UNREAD
from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.failures import PortError, TargetNotFound
from ecr_warden.core.observed import Present, Unparseable
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget, target_arn
from ecr_warden.repair.documents import all_identities
from ecr_warden.repair.write_scope import Lists
from iam_access.document.document import Document
from iam_access.inventory.accounts import IAM_CALL, PROVIDERS_CALL
from iam_access.inventory.inventory import PolicyOfAws
from iam_access.inventory.printed import policy_of_aws
from local.aws.behaviour.of_aws import PUBLISHED
from local.testing.memory.documents import MemoryDocuments
from local.testing.memory.hub import ManualClock
from local.testing.printed import complete_iam, complete_registry
from local.testing.seed import NOW


@dataclass(slots=True)
class MemoryEstateReader:
    """Accounts as they would be read.

    `iam`: by account; `policies`: by part and repository, None where there is none; `over_all`: by part. `providers`:
    of tokens, by account; `no_providers`: why an account's stack does not let these be read. `errors`: by
    part or the repository's target text, raised by nobody. `reads`: the parts and target texts whose policies were
    read, and the policies of AWS's as "ARN VERSION", in order. AWS's policies that somebody has are AWS's, not `iam`'s.
    """

    iam: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, dict[str, str | None]] = field(default_factory=dict)
    over_all: dict[str, dict[str, Any]] = field(default_factory=dict)
    providers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    no_providers: dict[str, PortError] = field(default_factory=dict)
    errors: dict[str, PortError] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def identities(self, account: str, known: KnownOfAws) -> Reading:
        self.reads.append(account)
        error = self.errors.get(account)
        if error is not None:
            return _unread(error, {}, IAM_CALL)
        entry: dict[str, Any] = {"iam": complete_iam(deepcopy(self.iam.get(account, {})))}
        texts = self._of_aws(entry["iam"], known)
        if account in self.no_providers:
            unread = [{"what": PROVIDERS_CALL, "code": self.no_providers[account].code}]
            return Reading(entry | {"unread": unread}, texts=texts)
        if account in self.providers:
            entry["oidcProviders"] = deepcopy(self.providers[account])
        return Reading(entry, texts=texts)

    def _of_aws(self, iam: dict[str, Any], known: KnownOfAws) -> dict[PolicyOfAws, str]:
        """Add AWS's policies that somebody has, and return the texts of those that are not known."""
        texts: dict[PolicyOfAws, str] = {}
        used = {*_used(iam)} & PUBLISHED.keys()
        for policy in (PUBLISHED[arn] for arn in sorted(used)):
            found = PolicyOfAws(policy.arn, policy.default, known.get((policy.arn, policy.default), ""))
            if not found.digest:
                self.reads.append(f"{policy.arn} {policy.default}")
                text = policy.text(policy.default)
                found = PolicyOfAws.of(policy.arn, policy.default, text)
                texts[found] = text
            iam.setdefault("Policies", []).append(policy_of_aws(found))
        return texts

    def registry(self, account: str, region: str, known: Mapping[str, object], named: Collection[str] = ()) -> Reading:
        part = f"{account}/{region}"
        self.reads.append(part)
        error = self.errors.get(part)
        if error is not None:
            return _unread(error, {"repositories": []}, LIST_CALL, region)
        found = [
            Reading({"repositories": [{"repositoryName": name, "policy": known[name]}]})
            if name in known
            else self._policy(RepositoryTarget(account, region, name))
            for name in sorted({*self.policies.get(part, {}), *named})
        ]
        return _joined(found, complete_registry(self.over_all.get(part, {})))

    def some(self, asked: Needed) -> Iterator[tuple[str, Reading]]:
        """Repositories by themselves: nothing else is asked of this one."""
        for part, of_part in asked.by_part().items():
            yield part, _joined([self._policy(target) for target in of_part.repositories])

    def tags(self, targets: Collection[RepositoryTarget]) -> Mapping[Target, Mapping[str, str] | PortError]:
        self.reads.extend(f"tags of {target}" for target in targets)
        return {target: {} for target in targets}

    def _policy(self, target: RepositoryTarget) -> Reading:
        self.reads.append(str(target))
        here = self.policies.get(f"{target.account}/{target.region}", {})
        error = self.errors.get(str(target))
        if error is not None:
            entry = {"repositories": [{"repositoryName": target.name, UNREAD: error.code}]}
            return _unread(error, entry, POLICY_CALL, target.region, target.name)
        found = [{"repositoryName": target.name, "policy": here[target.name]}] if target.name in here else []
        return Reading({"repositories": found})


def _used(iam: dict[str, Any]) -> Iterator[Any]:
    for kind in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
        for one in iam.get(kind, ()):
            yield from (attached["PolicyArn"] for attached in one.get("AttachedManagedPolicies", ()))
            yield from one.get("PermissionsBoundary", {}).values()


@dataclass(slots=True)
class LiveEstateReader:
    """The accounts of a MemoryDocuments, as AWS prints them; its faults are what cannot be read.

    A list of repositories is what `all_repositories` stands for. `others`: by account, what stands there besides, as
    AWS prints it. `reads`: as of MemoryEstateReader.
    """

    documents: MemoryDocuments
    others: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def identities(self, account: str, _: KnownOfAws) -> Reading:
        self.reads.append(account)
        error = self._fault(all_identities(account))
        if error is not None:
            unread = [{"what": call, "code": error.code} for call in (IAM_CALL, PROVIDERS_CALL)]
            return Reading({"unread": unread}, {IAM_CALL: error})
        here = [one for one in self.documents.owners if one.account == account]
        users = [self._identity(one) for one in here if isinstance(one, UserTarget)]
        roles = [self._identity(one) for one in here if isinstance(one, RoleTarget)]
        if account in self.documents.lists:
            roles.append(_write_role(account, self.documents.lists[account]))
        iam = {"UserDetailList": users, "RoleDetailList": roles}
        more = {key: [*iam.get(key, ()), *entries] for key, entries in self.others.get(account, {}).items()}
        return Reading({"iam": complete_iam(iam | more), "oidcProviders": self._providers(account)})

    def registry(self, account: str, region: str, known: Mapping[str, object], named: Collection[str] = ()) -> Reading:
        self.reads.append(f"{account}/{region}")
        error = self._fault(all_repositories(account, region))
        here = [
            owner
            for owner in self.documents.owners
            if isinstance(owner, RepositoryTarget) and (owner.account, owner.region) == (account, region)
        ]
        names = {*named} if error is not None else {*named, *(owner.name for owner in here)}
        found = [
            Reading({"repositories": [{"repositoryName": name, "policy": known[name]}]})
            if name in known
            else self._policy(RepositoryTarget(account, region, name))
            for name in sorted(names)
        ]
        found = found if error is None else [_unread(error, {"repositories": []}, LIST_CALL, region), *found]
        return _joined(found, complete_registry({}))

    def some(self, asked: Needed) -> Iterator[tuple[str, Reading]]:
        for part, of_part in asked.by_part().items():
            account, _, region = part.partition("/")
            if region:
                yield part, self._some_of_registry(account, region, of_part)
                continue
            reading = self.identities(account, {})
            iam = {
                name: [entry for entry in entries if of_part.wants(account, entry)]
                for name, entries in reading.entry.get("iam", {}).items()
            }
            found = {} if reading.failed else {"iam": iam, "oidcProviders": self._providers(account)}
            yield part, replace(reading, entry={**reading.entry, **found})

    def live(self, asked: Needed) -> LiveEstate:
        """What is asked for, as plans are made from it."""
        return LiveEstate.of(dict(self.some(asked)), NOW)

    def _some_of_registry(self, account: str, region: str, asked: Needed) -> Reading:
        error = self._fault(all_repositories(account, region)) if asked.patterns else None
        fitting = [
            owner
            for owner in self.documents.owners
            if isinstance(owner, RepositoryTarget) and any(pattern.covers(owner) for pattern in asked.patterns)
        ]
        found = [self._policy(target) for target in sorted({*asked.repositories, *(fitting if error is None else ())})]
        return _joined(found if error is None else [_unread(error, {"repositories": []}, LIST_CALL, region), *found])

    def _providers(self, account: str) -> list[dict[str, Any]]:
        return [
            {"Arn": arn, "ClientIDList": list(audiences)}
            for arn, audiences in self.documents.oidc.items()
            if f"::{account}:" in arn
        ]

    def tags(self, targets: Collection[RepositoryTarget]) -> Mapping[Target, Mapping[str, str] | PortError]:
        return {target: self._tags(target) for target in targets}

    def _tags(self, target: RepositoryTarget) -> Mapping[str, str] | PortError:
        error = self._fault(target) or self.documents.tags_denied
        if error is None and target not in self.documents.owners:
            error = TargetNotFound(f"{target} does not exist")
        return self.documents.others_tags.get(target, {}) if error is None else error

    def _policy(self, target: RepositoryTarget) -> Reading:
        self.reads.append(str(target))
        error = self._fault(target)
        if error is not None:
            entry = {"repositories": [{"repositoryName": target.name, UNREAD: error.code}]}
            return _unread(error, entry, POLICY_CALL, target.region, target.name)
        text = self._text(repository_policy(target))
        found = [{"repositoryName": target.name, "policy": text}] if target in self.documents.owners else []
        return Reading({"repositories": found})

    def _fault(self, target: Target) -> PortError | None:
        try:
            self.documents.faults(target, None)
        except PortError as error:
            return error
        return None

    def _text(self, address: Address) -> str | None:
        match self.documents.live.get(address):
            case Present(Document(text=text)) | Unparseable(text=text):
                return text
            case _:
                return None

    def _identity(self, target: UserTarget | RoleTarget) -> dict[str, Any]:
        kind = "Role" if isinstance(target, RoleTarget) else "User"
        live = [one for one in self.documents.live if one.target == target]
        inline = [
            {"PolicyName": one.name, "PolicyDocument": self._text(one)}
            for one in live
            if one.kind is AddressKind.IDENTITY_POLICY
        ]
        attached = [
            {"PolicyName": one.name.rpartition("/")[2], "PolicyArn": one.name}
            for one in live
            if one.kind is AddressKind.ATTACHED_POLICY
        ]
        entry: dict[str, Any] = {
            "Arn": target_arn(target, path=self.documents.paths.get(target, "/")),
            f"{kind}Name": target.name,
            f"{kind}Id": self.documents.owners[target],
            f"{kind}PolicyList": inline,
            "AttachedManagedPolicies": attached,
        }
        settings = self.documents.live.get(role(target)) if isinstance(target, RoleTarget) else None
        if isinstance(settings, Present) and isinstance(settings.value, RoleSettings):
            entry["Arn"] = target_arn(target, path=settings.value.path)
            entry["MaxSessionDuration"] = settings.value.max_session_duration
            if settings.value.boundary is not None:
                entry["PermissionsBoundary"] = {"PermissionsBoundaryArn": settings.value.boundary}
        if isinstance(target, RoleTarget):
            if (trust := self._text(trust_policy(target))) is not None:
                entry["AssumeRolePolicyDocument"] = trust
            entry.setdefault("MaxSessionDuration", 3600)
        tags = {TAG_KEY: TAG_VALUE} if target in self.documents.tagged else {}
        tags |= self.documents.others_tags.get(target, {})
        entry["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return entry


def _write_role(account: str, lists: Lists) -> dict[str, Any]:
    """As the member stack makes it, with nothing but its lists."""
    sids = {"ManagedOwners": "OwnersInlinePolicies", "ManagedOwners2": "OwnersInlinePolicies2"}
    sids |= {"ManagedOwners3": "OwnersInlinePolicies3", "ManagedRoles": "NamedRoles"}
    statements = [
        {"Sid": sids[name], "Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": list(entries)}
        for name, entries in lists.items()
        if name in sids
    ]
    statements += [] if "Writes" in lists else [{"Sid": "RepositoryPolicies", "Effect": "Allow", "Action": "ecr:*"}]
    return {
        "Arn": f"arn:aws:iam::{account}:role/ecr-warden/ecr-warden-write",
        "RoleName": "ecr-warden-write",
        "RoleId": "AROAWRITE",
        "RolePolicyList": [
            {"PolicyName": "write", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
        ],
        "MaxSessionDuration": 3600,
    }


def all_repositories(account: str, region: str) -> RepositoryTarget:
    """Stands for the list of a registry's repositories."""
    return RepositoryTarget(account, region, "*")


def _joined(found: Sequence[Reading], more: Mapping[str, Any] | None = None) -> Reading:
    """The repositories of all, and each note once."""
    entry: dict[str, Any] = {"repositories": [one for reading in found for one in reading.entry["repositories"]]}
    unread = [note for reading in found for note in reading.entry.get("unread", ())]
    if unread:
        entry["unread"] = [note for number, note in enumerate(unread) if note not in unread[:number]]
    return Reading(entry | {**(more or {})}, {name: why for one in found for name, why in one.failed.items()})


def _unread(error: PortError, entry: dict[str, Any], call: str, region: str = "", name: str = "") -> Reading:
    note = {"what": call, **({"region": region} if region else {}), "code": error.code}
    return Reading({**entry, "unread": [note]}, {name or call: error})


@dataclass(slots=True)
class MemoryEstateStore:
    """The pieces; `error`: raised by every put."""

    clock: ManualClock
    pieces: dict[str, Piece] = field(default_factory=dict)
    of_aws: dict[PolicyOfAws, str] = field(default_factory=dict)
    error: PortError | None = None
    noted: dict[str, Sequence[ReportedCall]] = field(default_factory=dict)
    _put: dict[str, StoredPiece] = field(default_factory=dict)
    _put_texts: dict[PolicyOfAws, datetime] = field(default_factory=dict)

    def put(self, piece: Piece) -> None:
        if self.error is not None:
            raise self.error
        self.pieces[piece.part] = Piece(piece.part, piece.began, deepcopy(piece.entry))
        tag = hashlib.sha256(json.dumps(piece.entry).encode()).hexdigest()
        self._put[piece.part] = StoredPiece(tag, self.clock.now())

    def get(self, part: str) -> Piece | None:
        return self.pieces.get(part)

    def kept(self) -> Mapping[str, StoredPiece]:
        return dict(self._put)

    def note(self, part: str, calls: Sequence[ReportedCall]) -> None:
        if self.error is not None:
            raise self.error
        self.noted[part] = tuple(calls)

    def calls(self, part: str) -> Sequence[ReportedCall]:
        return self.noted.get(part, ())

    def put_text(self, policy: PolicyOfAws, text: str) -> None:
        if self.error is not None:
            raise self.error
        self.of_aws[policy] = text
        self._put_texts[policy] = self.clock.now()

    def text(self, policy: PolicyOfAws) -> str | None:
        text = self.of_aws.get(policy)
        is_it = text is not None and PolicyOfAws.of(policy.arn, policy.version, text) == policy
        return text if is_it else None

    def texts(self, since: datetime) -> KnownOfAws:
        return {(one.arn, one.version): one.digest for one, at in self._put_texts.items() if at >= since}

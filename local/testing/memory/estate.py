"""The ports of the estate in memory: accounts that are read, and the pieces that are kept of them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ecr_warden.model.codec.printed import policy_of_aws
from ecr_warden.model.codec.snapshot import IAM_CALL, LIST_CALL, POLICY_CALL, PROVIDERS_CALL
from ecr_warden.model.estate import PolicyOfAws
from ecr_warden.model.target import RepositoryTarget
from ecr_warden.ports.errors import PortError
from ecr_warden.ports.estate import Kept, KnownOfAws, Piece, Reading

from local.aws.behaviour.of_aws import PUBLISHED
from local.testing.memory.hub import ManualClock


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
        entry: dict[str, Any] = {"iam": deepcopy(self.iam.get(account, {}))}
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

    def registry(self, account: str, region: str, known: Mapping[str, object]) -> Reading:
        part = f"{account}/{region}"
        self.reads.append(part)
        error = self.errors.get(part)
        if error is not None:
            return _unread(error, {"repositories": []}, LIST_CALL, region)
        found = [
            Reading({"repositories": [{"repositoryName": name, "policy": known[name]}]})
            if name in known
            else self.policy(RepositoryTarget(account, region, name))
            for name in sorted(self.policies.get(part, {}))
        ]
        unread = [note for one in found for note in one.entry.get("unread", ())][:1]
        entry: dict[str, Any] = {
            "repositories": [one for reading in found for one in reading.entry["repositories"]],
            **self.over_all.get(part, {}),
            **({"unread": unread} if unread else {}),
        }
        return Reading(entry, next((one.passing for one in found if one.passing), None))

    def policy(self, target: RepositoryTarget) -> Reading:
        self.reads.append(str(target))
        here = self.policies.get(f"{target.account}/{target.region}", {})
        error = self.errors.get(str(target))
        if error is not None:
            entry = {"repositories": [{"repositoryName": target.name}]}
            return _unread(error, entry, POLICY_CALL, target.region)
        found = [{"repositoryName": target.name, "policy": here[target.name]}] if target.name in here else []
        return Reading({"repositories": found})


def _used(iam: dict[str, Any]) -> Iterator[Any]:
    for kind in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
        for one in iam.get(kind, ()):
            yield from (attached["PolicyArn"] for attached in one.get("AttachedManagedPolicies", ()))
            yield from one.get("PermissionsBoundary", {}).values()


def _unread(error: PortError, entry: dict[str, Any], call: str, region: str = "") -> Reading:
    note = {"what": call, **({"region": region} if region else {}), "code": error.code}
    return Reading({**entry, "unread": [note]}, error if error.retryable else None)


@dataclass(slots=True)
class MemoryEstateStore:
    """The pieces; `error`: raised by every put."""

    clock: ManualClock
    pieces: dict[str, Piece] = field(default_factory=dict)
    of_aws: dict[PolicyOfAws, str] = field(default_factory=dict)
    error: PortError | None = None
    _put: dict[str, Kept] = field(default_factory=dict)
    _put_texts: dict[PolicyOfAws, datetime] = field(default_factory=dict)

    def put(self, piece: Piece) -> None:
        if self.error is not None:
            raise self.error
        self.pieces[piece.part] = Piece(piece.part, piece.began, deepcopy(piece.entry))
        tag = hashlib.sha256(json.dumps(piece.entry).encode()).hexdigest()
        self._put[piece.part] = Kept(tag, self.clock.now())

    def get(self, part: str) -> Piece | None:
        return self.pieces.get(part)

    def kept(self) -> Mapping[str, Kept]:
        return dict(self._put)

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

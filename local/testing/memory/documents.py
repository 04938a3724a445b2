"""The Documents port: targets and their live documents."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from ecr_warden.core.address import Address, AddressKind, trust_policy
from ecr_warden.core.desired import RepositoryPattern, RoleSettings, TargetSpec
from ecr_warden.core.failures import DocumentConflict, PortError, Refused, TargetNotFound
from ecr_warden.core.kinds import Operation
from ecr_warden.core.observed import LiveValue, Observation, Observed, Present, Unparseable, as_unreadable
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target
from ecr_warden.repair.documents import RepositoryListing
from ecr_warden.repair.extent import limited_to, missing, settings_digest, unreadable
from ecr_warden.repair.write_scope import Lists
from iam_access.document.document import Document
from iam_access.equivalent.canonical import digest


def present(address: Address, value: LiveValue) -> Present:
    """A live value with its digest."""
    match value:
        case Document():
            return Present(value, digest(value, kind=address.document_kind))
        case RoleSettings():
            return Present(value, settings_digest(value))
        case None:
            return Present(None, address.name)


@dataclass(slots=True)
class MemoryDocuments:
    """Accounts with targets and their documents.

    `owners`: the targets that exist, each with its unique id. `faults`: called before each read (None) or write
    (the change), and with what stands for many before a listing of them; it may raise a PortError, or change the world
    to play somebody else. `writes`: all that were taken. `lists`: the member stack's by account; `paths`: of the owners
    that do not stand at the root. `tagged`: the roles with ecr-warden's tag; `others_tags`: what else targets are
    tagged with; `tags_denied`: why nobody may read them. `oidc`: the audiences of OIDC providers, by ARN.
    """

    owners: dict[Target, str] = field(default_factory=dict)
    live: dict[Address, Present | Unparseable] = field(default_factory=dict)
    tagged: set[Target] = field(default_factory=set)
    others_tags: dict[Target, dict[str, str]] = field(default_factory=dict)
    tags_denied: PortError | None = None
    oidc: dict[str, tuple[str, ...]] = field(default_factory=dict)
    faults: Callable[[Target, Change | None], None] = lambda _target, _change: None
    writes: list[Change] = field(default_factory=list)
    reads: int = 0
    lists: dict[str, Lists] = field(default_factory=dict)
    paths: dict[Target, str] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=count)

    def make(self, target: Target) -> None:
        """Create a target, as somebody else; a recreated one gets another unique ID."""
        if target not in self.owners:
            self.owners[target] = f"ID{next(self._ids)}"

    def unmake(self, target: Target) -> None:
        """Delete a target with all its documents, as somebody else."""
        self.owners.pop(target, None)
        self.tagged.discard(target)
        self.live = {address: value for address, value in self.live.items() if address.target != target}

    def put(self, address: Address, value: LiveValue) -> None:
        """Write a value, as somebody else."""
        self.make(address.target)
        self.live[address] = present(address, value)

    def remove(self, address: Address) -> None:
        """Delete a value, as somebody else; a role with all its documents."""
        self.live.pop(address, None)
        if address.kind is AddressKind.ROLE:
            self.unmake(address.target)

    def read(self, spec: TargetSpec) -> Observation:
        self.reads += 1
        try:
            self.faults(spec.target, None)
        except PortError as error:
            return unreadable(spec, as_unreadable(error))
        owner = next((owner for owner in self.owners if owner.key == spec.target.key), None)
        return limited_to(spec, self._all_of(owner)) if owner else missing(spec)

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> RepositoryListing:
        found: dict[RepositoryTarget, None] = {}
        unread: list[tuple[RepositoryPattern, PortError]] = []
        for pattern in patterns:
            try:
                self.faults(pattern.target, None)
            except PortError as error:
                unread.append((pattern, error))
                continue
            existing = (owner for owner in self.owners if isinstance(owner, RepositoryTarget))
            found.update(dict.fromkeys(owner for owner in existing if pattern.covers(owner)))
        return RepositoryListing(tuple(sorted(found)), tuple(unread))

    def writer(self, plan: Plan, run_id: str) -> "MemoryDocuments":  # noqa: ARG002
        return self

    def write(self, change: Change) -> None:
        address = change.address
        self.faults(address.target, change)
        found = self.live.get(address)
        if address.target not in self.owners and not isinstance(change.after, NewRole):
            raise TargetNotFound(f"{address.target} does not exist")
        if (found.digest if found else None) != change.expect:
            raise DocumentConflict(f"{address} changed")
        self._take(change)
        self.writes.append(change)

    def _take(self, change: Change) -> None:
        address = change.address
        match change.after:
            case NewRole() as new:
                assert isinstance(address.target, RoleTarget)
                self.put(address, new.settings)
                self.put(trust_policy(address.target), new.trust)
                self.tagged.add(address.target)
            case None:
                assert change.operation is Operation.DELETE
                if address.kind is AddressKind.ROLE and self._holds_policies(address.target):
                    raise Refused(f"{address.target} still holds policies")
                self.remove(address)
            case value:
                self.put(address, value)

    def _holds_policies(self, owner: Target) -> bool:
        kinds = (AddressKind.IDENTITY_POLICY, AddressKind.ATTACHED_POLICY)
        return any(address.target == owner and address.kind in kinds for address in self.live)

    def _all_of(self, owner: Target) -> Observation:
        documents: dict[Address, Observed] = {a: value for a, value in self.live.items() if a.target == owner}
        unique_id = None if isinstance(owner, RepositoryTarget) else self.owners[owner]
        return Observation(owner, documents, unique_id, owner in self.tagged)

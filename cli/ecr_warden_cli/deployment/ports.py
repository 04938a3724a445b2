"""What the deployment's verbs need of AWS."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct, field

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.collect.estate import Reading
from ecr_warden.collect.wiring import HubPlace, SeenWire, Wiring
from ecr_warden.core.clock import Clock
from ecr_warden.core.value import Value
from ecr_warden_cli.terminal.context import Failure, Hub, NotEntered


class StackPlace(Struct, frozen=True):
    """Where a stack is, and its name."""

    account: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} in {self.account}/{self.region}"


class LiveStack(Struct, frozen=True):
    """A stack as CloudFormation describes it."""

    status: str
    """Such as CREATE_COMPLETE."""
    parameters: Mapping[str, str] = {}
    outputs: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    id: str = ""
    """Its ARN."""
    description: str = ""


UNREAD = "Unread"


class StackChange(Value, frozen=True):
    """One change of a change set."""

    action: str
    """Add, Modify, Remove, Import or Dynamic; `UNREAD` where CloudFormation could not read what is there."""
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: bool = False


class Proposal(Struct, frozen=True):
    """What a stack is to become."""

    name: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = {}
    url: str = ""
    """Of the template in S3, where it is larger than CloudFormation takes in a call."""
    repairs: bool = False
    """Whether what somebody changed beside CloudFormation is changed back too, where the stack is there."""
    takes: Sequence[Mapping[str, Any]] = ()
    """What is there already and becomes the stack's, which has nothing else yet, as ResourcesToImport has it."""
    id: str = field(default_factory=lambda: f"ecr-warden-{uuid.uuid4()}")
    """The name of its change set."""


class ChangeSet(Struct, frozen=True):
    """A change set or a deletion by its ID, and its stack's: the name of a stack that was deleted finds it no more."""

    id: str
    stack: str


class StackFailed(Failure, code="stack-failed"):
    """A stack did not become what it was to become: the message has the first resource that failed, in AWS's words."""


class Instance(Value, frozen=True):
    """A stack of a StackSet that is not as the set says."""

    set: str
    account: str
    region: str
    status: str
    """Such as FAILED or RUNNING."""
    reason: str


class Stacks(Protocol):
    """CloudFormation in one account and region.

    Each method raises Failure where AWS refuses or does not answer. What takes time is begun by one method and awaited
    by another, so that many stacks come about at once.
    """

    def read(self, name: str) -> LiveStack | None:
        """The stack; None if there is none, or nothing but a change set that nobody executed."""

    def settled(self, name: str) -> LiveStack | None:
        """As `read`, once nothing is under way, however long that takes."""

    def unfinished(self, sets: Sequence[str], call_as: str) -> Sequence[Instance]:
        """What is not SUCCEEDED of StackSets: of an operation that tolerates failures CloudFormation says nothing."""

    def template(self, name: str) -> str:
        """The text of its template as it was deployed, in plain CloudFormation."""

    def propose(self, proposal: Proposal) -> ChangeSet:
        """Begin a change set, of a new stack too, which is deleted again if it fails."""

    def changes(self, change_set: ChangeSet) -> Sequence[StackChange] | None:
        """Wait until it is worked out; None if there is nothing to do but to spell otherwise. Raises StackFailed."""

    def execute(self, change_set: ChangeSet) -> None:
        """Begin to do what it says."""

    def finished(self, change_set: ChangeSet) -> LiveStack:
        """Wait until all is done; raises StackFailed."""

    def discard(self, proposal: Proposal) -> None:
        """Delete its change set, which is not executed, once it is worked out."""

    def delete(self, name: str) -> ChangeSet:
        """Begin to delete the stack."""

    def deleted(self, deletion: ChangeSet) -> None:
        """Wait until it is gone; raises StackFailed."""


class CodeBucket(Protocol):
    """The bucket from which CloudFormation takes code and large templates."""

    def lacking(self, objects: Mapping[str, bytes]) -> Mapping[str, bool]:
        """The keys at which these objects are not, and whether something else is there; raises Failure."""

    def put(self, objects: Mapping[str, bytes]) -> int:
        """Upload what is not there yet by key and content, and return how many that were; raises Failure."""

    def url(self, key: str) -> str:
        """Of one of its objects, as CloudFormation takes it."""


class Kind(StrEnum):
    """What ecr-warden has in an account, in the order in which it goes: first what writes."""

    WRITES = "all writes of"
    ATTACHED = "attached policy"
    CODE = "bucket for code"
    STACK = "stack"
    SWITCH = "stop switch"
    LOGS = "log group"
    BUCKET = "bucket"
    TABLE = "table"
    BOUNDARY = "boundary"
    CUTOFF = "denial of older sessions"
    ROLE = "role"


class Thing(Value, frozen=True):
    """Something of ecr-warden's; IAM's has no region."""

    kind: Kind
    account: str
    region: str
    name: str
    """Of a policy its ARN."""
    holders: tuple[str, ...] = ()
    """Who has a policy, also as the boundary, such as `user/alice`."""
    denied_before: datetime | None = None
    """When the sessions that a cut-off denies were issued at the latest; None for one that is not as we write it."""

    def __str__(self) -> str:
        holders = f" of {', '.join(self.holders)}" if self.holders else ""
        return f"{self.kind} {self.name}{holders} in {'/'.join(filter(None, (self.account, self.region)))}"


class Remains(Protocol):
    """What ecr-warden has in an account beside its stacks; each method raises Failure."""

    def of_hub(self) -> Iterator[Thing]:
        """The buckets, the table and the logs of a hub in this region."""

    def of_account(self) -> Iterator[Thing]:
        """What IAM has."""

    def delete(self, thing: Thing) -> None:
        """Delete what is no stack: detach a policy from who has it, empty a bucket first."""


class RunningFunction(Struct, frozen=True):
    """What a function runs: the SHA-256 of its code and of its layers, in hexadecimal digits."""

    code: str
    layers: tuple[str, ...] = ()
    reserved: int | None = None
    """The concurrent executions that are reserved for it, and all that it may have."""


class Entered(Protocol):
    """The accounts of a deployment with a person's credentials, each of which was found to belong to its account."""

    @property
    def refused(self) -> Mapping[str, NotEntered]:
        """The accounts that could not be entered, by ID."""

    def session(self, account: str) -> Any:
        """The boto3 session of an account, for adapters; raises Failure if it was not entered."""

    def caller(self, account: str) -> str:
        """The ARN by which an account was entered; raises Failure if it was not."""

    def stacks(self, account: str, region: str) -> Stacks:
        """CloudFormation there; raises Failure if the account was not entered."""

    def bucket(self, account: str, region: str, name: str) -> CodeBucket:
        """A bucket there; raises Failure if the account was not entered."""

    def remains(self, account: str, region: str) -> Remains:
        """What is there beside stacks; raises Failure if the account was not entered."""

    def hub(self, account: str, region: str) -> Hub:
        """The hub there; raises Failure if the account was not entered."""

    def functions(self, account: str, region: str, names: Sequence[str]) -> Mapping[str, RunningFunction]:
        """What these functions run, by name; one that is not there is left out. Raises Failure."""

    def executions(self, account: str, region: str) -> int:
        """How many functions may run at once there, of whomever; raises Failure."""

    def depth(self, account: str, region: str, queue: str) -> int:
        """How many messages a queue has; 0 if it is not there. Raises Failure."""

    def above(self, account: str) -> tuple[str, str]:
        """The management account of the account's organization, and the organization's root.

        Raises Failure, `organization-lacks` with the command if StackSets cannot work from this account.
        """

    def read_parts(self, accounts: Sequence[SpecAccount]) -> Iterator[tuple[str, Reading]]:
        """The accounts and their registries, each whole; of one that was not entered, nothing."""

    def trail(self, account: str, region: str) -> SeenWire:
        """The trails that are active in a region; raises nothing."""

    def wiring(self, place: HubPlace) -> Wiring:
        """The wiring of the hub and of the accounts that were entered."""

    def surveyed(self, account: str) -> Mapping[str, Any]:
        """The entry of an account in the estate, with its roles and policies; raises Failure if it was not entered."""

    def holds(self, account: str, region: str, reference: str) -> bool:
        """Whether there is such a parameter, or secret; its value is not read. Raises Failure."""

    def skew(self, clock: Clock) -> timedelta:
        """By how much AWS's clock is ahead of this one; without credentials, which a wrong clock makes worthless."""

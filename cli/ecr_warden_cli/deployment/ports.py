"""What the deployment's verbs need of AWS."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct


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
    reason: str = ""
    parameters: Mapping[str, str] = {}
    outputs: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}


class StackChange(Struct, frozen=True):
    """One change of a change set."""

    action: str
    """Add, Modify, Remove, Import or Dynamic."""
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: bool = False


class ChangeSet(Struct, frozen=True):
    """A change set that is ready to be executed; without changes there is nothing to do."""

    id: str
    changes: Sequence[StackChange]


class Refusal(Struct, frozen=True):
    """The first resource that failed, in CloudFormation's words."""

    logical_id: str
    type: str
    reason: str


class Stacks(Protocol):
    """CloudFormation in one account and region; each method raises Failure where AWS refuses or does not answer."""

    def read(self, name: str) -> LiveStack | None:
        """The stack; None if there is none."""

    def template(self, name: str) -> str:
        """The text of its template, as it was deployed."""

    def propose(
        self, name: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str], *, url: str = ""
    ) -> ChangeSet:
        """Make a change set, of a new stack too, and wait for it; `url`: of the template in S3, where it is larger."""

    def execute(self, name: str, change_set: ChangeSet) -> LiveStack:
        """Execute it, and wait; raises StackFailed."""

    def discard(self, name: str, change_set: ChangeSet) -> None:
        """Delete a change set that is not executed, and the empty stack that it began."""

    def delete(self, name: str) -> None:
        """Delete the stack, and wait; raises StackFailed."""

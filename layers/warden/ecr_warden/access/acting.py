"""Whom somebody acts as, with the changes made to them, and the calls that lead there."""

from functools import cached_property

from msgspec import Struct

from iam_access.escalation.become import Become
from iam_access.escalation.calls import Conditions
from iam_access.escalation.moves import IdentityChange
from iam_access.who_can.subject import Subject


class CallPath(Struct, frozen=True):
    """The calls made so far, whom they are about, and their conditions."""

    steps: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    conditions: Conditions = ()

    def then(self, *more: "CallPath | Become | IdentityChange") -> "CallPath":
        """With more calls, or what others made possible."""
        steps, chain, conditions = [*self.steps], [*self.chain], [*self.conditions]
        for one in more:
            steps += one.steps
            chain += _about(one)
            conditions += one.conditions
        return CallPath(tuple(dict.fromkeys(steps)), tuple(dict.fromkeys(chain)), tuple(dict.fromkeys(conditions)))


def _about(one: CallPath | Become | IdentityChange) -> tuple[str, ...]:
    match one:
        case CallPath(chain=chain):
            return chain
        case Become(to=to):
            return (to.arn,)
        case IdentityChange(target=target):
            return (target,)


class ActingAs(Struct, frozen=True, dict=True):
    """Somebody whom the escalating principal acts as, with the changes made to them, each with the path to it."""

    origin: Subject
    path: CallPath
    changes: tuple[tuple[IdentityChange, CallPath], ...] = ()

    @cached_property
    def subject(self) -> Subject:
        """As they are with the changes."""
        subject = self.origin
        for change, _ in self.changes:
            subject = change.applied(subject)
        return subject

    @cached_property
    def name(self) -> tuple[object, ...]:
        """The same for those with the same permissions.

        Identities that are yet to be created differ by theirs and their boundary, federated users by who opened their
        session.
        """
        given = tuple(policy.name for policy in self.origin.policies)
        boundary = self.origin.boundary and self.origin.boundary.name
        return self.origin.principal, given, boundary, frozenset(change.name for change, _ in self.changes)

    @property
    def whole_path(self) -> CallPath:
        """With the calls that make the changes."""
        changed = (part for change, path in self.changes for part in (path, change))
        # Who is there from the start acts once others have changed them.
        return self.path.then(*changed) if self.path.steps else CallPath().then(*changed, self.path)
